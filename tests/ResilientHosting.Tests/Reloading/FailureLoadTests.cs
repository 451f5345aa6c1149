using System.Collections.Concurrent;
using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Failure after failure, while clients keep asking.</summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class FailureLoadTests(ReloadableProject project)
{
    private const int Rounds = 50;
    private const string CompileError = "missing();";
    private const string StartFailure = "throw new InvalidOperationException(\"no start\");";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CompileError, ": 1 error, generation ")]
    [InlineData(StartFailure, "does not start; the last good version serves again as generation ")]
    public async Task FiftyFailuresAndFixes_UnderLoad_LoseNoRequest(string broken, string line)
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await using var traffic = new Traffic(app.Address, 4, answer => Assert.Equal(200, answer.Status));
        using var client = new KeepAliveClient(app.Address);
        var good = "original";
        for (var round = 1; round <= Rounds; round++)
        {
            var next = string.Create(CultureInfo.InvariantCulture, $"round {round}");
            await app.ExpectAsync(line, () => Write(next, broken));
            Assert.Equal(good, (await client.GetAsync("/", Token)).Body);

            await app.ReloadAsync(() => Write(next));
            Assert.Equal(next, (await client.GetAsync("/", Token)).Body);
            await traffic.CheckAsync();
            good = next;
        }

        Assert.InRange(await traffic.StopAsync(), 2 * Rounds, int.MaxValue);
    }

    [Fact]
    public async Task RandomEditsFailuresAndCrashes_UnderLoad_AnswerEveryRequestAndServeTheLastGoodEdit()
    {
        const int seed = 20261121;
        try
        {
            await RunAsync(new Random(seed));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"Failed with seed {seed}.", e);
        }
    }

    private async Task RunAsync(Random random)
    {
        var seen = new ConcurrentDictionary<string, byte>();
        await using var app = await ReloadableApp.StartAsync(project);
        await using var traffic = new Traffic(app.Address, 4, answer =>
        {
            Assert.True(answer is { Status: 200 or 503, Generation: not null }, answer.ToString());
            if (answer.Status == 200)
            {
                seen.TryAdd(answer.Generation!, 0);
            }
        });
        using var client = new KeepAliveClient(app.Address);
        var good = "original";
        var crashed = false;
        for (var step = 1; step <= Rounds; step++)
        {
            var next = string.Create(CultureInfo.InvariantCulture, $"step {step}");
            switch (random.Next(5))
            {
                case 0:
                    await app.ExpectAsync(": 1 error, ", () => Write(next, CompileError));
                    break;

                case 1:
                    await app.ExpectAsync("does not start; the last good version serves again", () => Write(next, StartFailure));
                    crashed = false;
                    break;

                case 2 when !crashed:
                    string[] ways = ["thread", "async-void", "timer", "work-item", "background-service", "end?how=exception", "end?how=3"];
                    var mark = app.Console.Count;
                    await app.PostAsync("/fail/" + ways[random.Next(ways.Length)]);
                    await app.Console.WaitForAsync("; waiting for the next edit", mark);
                    crashed = true;
                    break;

                default:
                    await app.ReloadAsync(() => Write(good = next));
                    crashed = false;
                    break;
            }

            await traffic.CheckAsync();
            var answer = await client.GetAsync("/", Token);
            Assert.Equal(crashed ? 503 : 200, answer.Status);
            Assert.True(crashed || answer.Body == good, $"{good} is the last good edit, but {answer} is what serves.");
        }

        await app.ReloadAsync(() => Write("the end"));
        Assert.Equal("the end", (await client.GetAsync("/", Token)).Body);
        await traffic.StopAsync();
        var announced = app.Console.Since(0);
        Assert.All(seen.Keys, generation => Assert.True(
            generation == "0" || announced.Any(line => $"{line} ".Contains($"generation {generation} ", StringComparison.Ordinal)
                || line.Contains($"generation {generation},", StringComparison.Ordinal)),
            $"Nobody knows a generation {generation}."));
    }

    private void Write(string greeting, string statement = "") => project.Write("Program.cs", project.Original("Program.cs")
        .Replace("\"original\"", $"\"{greeting}\"", StringComparison.Ordinal)
        .Replace("var builder", statement + "\nvar builder", StringComparison.Ordinal));
}
