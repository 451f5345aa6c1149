using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts;

/// <summary>Real clients on real sockets leave in every phase. Nothing may be logged above Information, and the server lives on.</summary>
public sealed class AbortStormTests
{
    private const int Aborts = 50;
    private const int Concurrency = 10;

    // The path, the head and part of what the client sends, the expected status, and text to wait for in the answer.
    private static readonly (string Path, string? ContentType, string Body, int Status, string? ReadFirst)[] Paths =
    [
        ("/raw", "text/plain", "half", 499, null),
        ("/pipe", "text/plain", "half", 499, null),
        ("/json", "application/json", "{\"text\":\"ha", 499, null),
        ("/mvc", "application/json", "{\"text\":\"ha", 499, null),
        ("/form", "application/x-www-form-urlencoded", "text=ha", 499, null),
        ("/file", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\nha", 499, null),
        ("/mvc-file", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\nha", 499, null),
        ("/wrapped", "text/plain", "half", 499, null),
        ("/compute", null, "", 499, null),
        ("/ignore", null, "", 200, null),
        ("/provider", null, "", 499, null),
        ("/aggregate", null, "", 499, null),
        ("/stream", null, "", 200, "data: first"),
    ];

    public static TheoryData<string, Departure, Pipeline, string> Cells()
    {
        var cells = new TheoryData<string, Departure, Pipeline, string>();
        foreach (var path in Paths)
        {
            foreach (var departure in Enum.GetValues<Departure>())
            {
                foreach (var pipeline in Enum.GetValues<Pipeline>())
                {
                    cells.Add(path.Path, departure, pipeline, "Production");
                    cells.Add(path.Path, departure, pipeline, "Development");
                }
            }
        }

        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task Storm_AnyPathAndPipeline_IsQuietAndRecorded(string path, Departure departure, Pipeline pipeline, string environment)
    {
        var (_, contentType, body, status, readFirst) = Paths.Single(candidate => candidate.Path == path);
        var testApp = new AbortTestApp();
        await using var host = await testApp.StartAsync(pipeline, environment);

        await Parallel.ForAsync(0, Aborts, new ParallelOptions { MaxDegreeOfParallelism = Concurrency }, async (number, _) =>
        {
            var request = $"{path}?id={number}";
            await using var client = await RawHttpClient.ConnectAsync(host.Address);
            await (contentType is null ? client.SendGetAsync(request) : client.SendPostAsync(request, 1000, body, contentType));
            await testApp.ArrivedAsync($"{number}");
            if (readFirst is not null)
            {
                Assert.Contains(readFirst, await client.ReadUntilAsync(readFirst), StringComparison.Ordinal);
            }

            client.Leave(departure);
            await testApp.EndedAsync($"{number}");
        });

        Assert.Equal("healthy", await host.Client.GetStringAsync("/health", TestContext.Current.CancellationToken));
        await host.StopAsync();

        host.Logs.AssertQuiet();
        Assert.Equal(Aborts, host.Logs.Lines.Count(line =>
            line.Event.Name == "ClientAborted" && line.Message.Contains("by Client;", StringComparison.Ordinal)));
        Assert.Equal(
            Enumerable.Repeat(status, Aborts),
            AccessRecord.Statuses(host.Logs, path));
    }
}
