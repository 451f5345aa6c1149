using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading.Hosts;

/// <summary>
/// Host style × framework × kind of change, each in an application that <c>dotnet run</c> started: save, and see what the next request
/// says. The table of all rows, with the median time from the save to the answer, is this test's output and lies beside the test results.
/// </summary>
[Collection(nameof(HostApps))]
public sealed class HostMatrixTests(HostApps.Built apps, ITestOutputHelper output)
{
    private const int Edits = 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryStyleFrameworkAndChange_Saved_IsServed()
    {
        var results = new List<Result>();
        var admin = string.Create(CultureInfo.InvariantCulture, $"--AdminUrl=http://127.0.0.1:{ServerProgram.FreePort()}");
        (ReloadableProject Project, Dictionary<string, string>? Environment, string[] Arguments, Row[] Rows)[] programs =
        [
            (apps.Minimal, HostApps.Built.HostingStartup, [], MatrixRows.Minimal),
            (apps.Startup, null, [], MatrixRows.Startup),
            (apps.Endpoints, null, ["--Certificate=" + apps.CertificatePath], MatrixRows.Endpoints),
            (apps.TwoHosts, null, [admin], MatrixRows.TwoHosts),
            (apps.Worker, null, [], MatrixRows.Worker),
            (apps.Site, null, [apps.DatabaseArgument], MatrixRows.Site),
        ];

        foreach (var program in programs)
        {
            await using var app = await ReloadableApp.RunAsync(program.Project, program.Environment, program.Arguments);
            foreach (var row in program.Rows)
            {
                results.Add(await MeasureAsync(app, program.Project, row));
            }
        }

        var table = Table(results);
        output.WriteLine(table);
        TestContext.Current.AddAttachment("host matrix.md", table);
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "TestResults"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "host-matrix.md"), table, Token);
        Assert.All(results, result => Assert.True(result.Failure is null, $"{result.Row}: {result.Failure}"));
    }

    private static async Task<Result> MeasureAsync(ReloadableApp app, ReloadableProject project, Row row)
    {
        var times = new List<TimeSpan>();
        try
        {
            for (var version = 2; version <= Edits + 1; version++)
            {
                var mark = app.Console.Count;
                var saved = Stopwatch.GetTimestamp();
                row.Edit(project, version);
                var line = app.Console.WaitForAnyAsync(["-> generation ", "keeps serving", "serves again", "waiting for the next edit"], mark);
                if (row.Path is null)
                {
                    await app.Console.WaitForAsync(row.Expected(version), mark);
                }
                else if (!(await line).Contains("-> generation ", StringComparison.Ordinal))
                {
                    throw new InvalidOperationException($"{await line}\n{string.Join('\n', app.Console.Since(mark))}");
                }
                else
                {
                    await ExpectAsync(app, row.Path, row.Expected(version));
                }

                times.Add(Stopwatch.GetElapsedTime(saved));
                await line;
            }

            return new Result(row, times.Order().ElementAt(times.Count / 2), null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new Result(row, TimeSpan.Zero, e.Message);
        }
    }

    private static async Task ExpectAsync(ReloadableApp app, string path, string expected)
    {
        using var response = await app.Client.GetAsync(path, Token);
        var answer = response.StatusCode == HttpStatusCode.OK
            ? WebUtility.HtmlDecode(await response.Content.ReadAsStringAsync(Token))
            : $"status: {(int)response.StatusCode}";
        if (!answer.Contains(expected, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"{path} answers {answer}, not {expected}.");
        }
    }

    private static string Table(List<Result> results)
    {
        var table = new StringBuilder("| host | framework | change | median, save to answer |\n|---|---|---|---|\n");
        foreach (var (row, median, failure) in results)
        {
            var time = failure is null ? string.Create(CultureInfo.InvariantCulture, $"{median.TotalMilliseconds:0} ms") : "failed";
            table.Append(CultureInfo.InvariantCulture, $"| {row.Host} | {row.Framework} | {row.Change} | {time} |\n");
        }

        return table.ToString();
    }

    private sealed record Result(Row Row, TimeSpan Median, string? Failure);
}
