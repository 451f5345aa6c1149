using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace ResilientHosting.Tests.Sample;

/// <summary>These load the machine, and are told from a lost request by nothing but the time a process takes.</summary>
[CollectionDefinition(nameof(ScaleOutProcesses), DisableParallelization = true)]
public sealed class ScaleOutProcesses;

[Collection(nameof(ScaleOutProcesses))]
public sealed class RollingRestartTests
{
    [Fact]
    public async Task RollingRestart_UnderLoad_LosesNoRequestAndNoWrite()
    {
        await using var script = ScaleOutScript.StartOrSkip("rolling-restart", "1");

        var exitCode = await script.WaitForExitAsync();

        var report = string.Join('\n', script.Output.Since(0));
        Assert.True(exitCode == 0, report);
        var (requests, failures) = Figures(report, @"^all +(\d+) +(\d+)");
        Assert.Equal(0, failures);
        Assert.InRange(Figures(report, @"^orders +(\d+) were (acknowledged)").First, 1, requests);

        // Nobody sent anything twice in silence: neither the customers' HTTP client nor nginx.
        Assert.Equal((requests, 0), Figures(report, @"^nginx +(\d+) requests, (\d+) of them tried at a second replica"));

        var (paid, sentAgain) = Figures(report, @"^payments +(\d+) were acknowledged, (\d+) of them stopped and sent again");
        Assert.InRange(sentAgain, 1, paid - 1);
        Assert.InRange(Figures(report, @"^adopted +(\d+) of these were answered by (another) replica").First, 1, sentAgain);
        Assert.Equal(2, Figures(report, @"^restarts +(\d+) in (\d+) s").First);

        // More connections ask than there are.
        var (servers, budget) = Figures(report, @"^server connections (\d+) at most, of a budget of (\d+)");
        Assert.InRange(servers, 1, budget);
        Assert.True(Figures(report, @"^client connections (\d+) at most, of which (\d+) waited").First > budget, report);
    }

    [Fact]
    public async Task Serve_CtrlC_LeavesNothingBehind()
    {
        await using var script = ScaleOutScript.StartOrSkip();
        var address = new Uri((await script.Output.WaitForAsync("nginx  ")).Split(' ')[^1]);
        using var client = new HttpClient { BaseAddress = address };
        using var ready = await client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
        using var live = await client.GetAsync("/health/live", TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (ready.StatusCode, live.StatusCode));
        await script.Output.WaitForAsync("Ctrl+C stops everything.");

        await script.InterruptAsync();

        Assert.Equal(130, await script.WaitForExitAsync());
    }

    private static (int First, int Second) Figures(string report, string pattern)
    {
        var match = Regex.Match(report, pattern, RegexOptions.Multiline);
        Assert.True(match.Success, $"Not found: {pattern}\n{report}");
        return (Figure(1), Figure(2));

        int Figure(int group) => int.TryParse(match.Groups[group].Value, CultureInfo.InvariantCulture, out var figure) ? figure : 0;
    }
}
