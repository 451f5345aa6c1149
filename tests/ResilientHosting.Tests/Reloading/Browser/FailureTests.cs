using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using ResilientHosting.Tests.Infrastructure;
using static Microsoft.Playwright.Assertions;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What people and programs see of a failure of a real application, until it is mended.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class FailureTests(ReloadableProject project, Chromium chromium) : IClassFixture<Chromium>
{
    private const string Broken = "edited\" + missing + \"";

    // Longer than the assertions' own five seconds: the machine may be busy.
    private static readonly float Limit = (float)ConsoleLines.Timeout.TotalMilliseconds;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CompileError_IsShownAboveThePage_UntilTheFixIsServed(bool addDevReloader)
    {
        await using var app = await ReloadableApp.StartAsync(project, $"--AddDevReloader={addDevReloader}");
        var page = await chromium.OpenAsync(app.Address.ToString());
        await page.AddScriptTagAsync(new() { Url = "/_dev/client.js", Type = "module" });

        project.EditGreeting("original", Broken);

        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "The latest edit has 1 error." });
        await Expect(dialog).ToBeVisibleAsync(new() { Timeout = Limit });
        await Expect(dialog.Locator("mark")).ToHaveTextAsync("missing");
        await Expect(dialog.GetByRole(AriaRole.Link)).ToHaveTextAsync(new Regex(@"^Program\.cs:\d+:\d+$"));
        using (var served = await app.Client.GetAsync("/", Token))
        {
            Assert.Equal("0", Assert.Single(served.Headers.GetValues("X-Dev-Generation")));
            Assert.StartsWith("The latest edit has 1 error. ", Assert.Single(served.Headers.GetValues("X-Dev-Error")), StringComparison.Ordinal);
        }

        var mark = app.Console.Count;
        await app.ReloadAsync(() => project.EditGreeting(Broken, "mended"));
        if (addDevReloader)
        {
            await Expect(page.Locator("dialog")).ToHaveCountAsync(0, new() { Timeout = Limit });
        }
        else
        {
            // The port is another one from here on, because this application asks for any.
            await app.WaitUntilListeningAsync(mark);
        }

        using var mended = await app.Client.GetAsync("/", Token);
        Assert.False(mended.Headers.Contains("X-Dev-Error"));
    }

    [Fact]
    public async Task FailedStart_TellsTheStatementThatFailed_WhileTheLastGoodVersionServes()
    {
        await using var app = await ReloadableApp.StartAsync(project);

        await app.ExpectAsync(
            "the last good version serves again",
            () => project.InsertAtStart("try { int.Parse(\"no number\"); } catch (Exception e) { throw new InvalidOperationException(\"no settings\", e); }"));

        var exception = (await app.Client.GetFromJsonAsync<JsonElement>("/_dev/status", Token)).GetProperty("failure").GetProperty("exception");
        Assert.Equal(("System.InvalidOperationException", "no settings"), (exception.GetProperty("type").GetString(), exception.GetProperty("message").GetString()));
        Assert.Equal("System.FormatException", Assert.Single(exception.GetProperty("causes").EnumerateArray()).GetProperty("type").GetString());
        var frame = Assert.Single(exception.GetProperty("ownFrames").EnumerateArray());
        Assert.Equal(project.PathOf("Program.cs"), frame.GetProperty("file").GetString());
        var code = frame.GetProperty("code");
        Assert.Contains("no settings", code.GetProperty("lines")[code.GetProperty("markedLine").GetInt32()].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Crash_IsToldOnAPage_ThatFollowsTheNextErrorAndTheFix(bool addDevReloader)
    {
        await using var app = await ReloadableApp.StartAsync(project, $"--AddDevReloader={addDevReloader}");
        await CrashAsync(app);

        var page = await chromium.OpenAsync(app.Address.ToString());

        await Expect(page.Locator("h1")).ToHaveTextAsync("The application has crashed.");
        await Expect(page.Locator("section .message")).ToHaveTextAsync("failed: thread");
        await Expect(page.Locator(".frames a").First).ToHaveTextAsync(new Regex(@"^Failures\.cs:\d+$"));
        using (var problem = await app.Client.GetAsync("/", Token))
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (problem.StatusCode, problem.Content.Headers.ContentType?.MediaType));
            Assert.StartsWith("The application has crashed. System.InvalidOperationException: failed: thread", Assert.Single(problem.Headers.GetValues("X-Dev-Error")), StringComparison.Ordinal);
        }

        project.EditGreeting("original", Broken);
        await Expect(page.Locator("h1")).ToHaveTextAsync("The latest edit has 1 error.", new() { Timeout = Limit });
        await Expect(page.Locator("mark")).ToHaveTextAsync("missing");
        await Expect(page.Locator("section .message")).ToHaveTextAsync("failed: thread");

        if (addDevReloader)
        {
            project.EditGreeting(Broken, "mended");
            await Expect(page.Locator("body")).ToHaveTextAsync("mended", new() { Timeout = Limit });
        }
    }

    [Fact]
    public async Task Crash_WithoutAScript_IsReadAndMendedAllTheSame()
    {
        await using var app = await ReloadableApp.StartAsync(project);
        await CrashAsync(app);
        var context = await chromium.Browser.NewContextAsync(new() { JavaScriptEnabled = false });
        var page = await context.NewPageAsync();
        await page.GotoAsync(app.Address.ToString());
        await Expect(page.Locator("section .message")).ToHaveTextAsync("failed: thread");

        project.EditGreeting("original", "mended");

        await Expect(page.Locator("body")).ToHaveTextAsync("mended", new() { Timeout = Limit });
    }

    private static async Task CrashAsync(ReloadableApp app)
    {
        var mark = app.Console.Count;
        await app.PostAsync("/fail/thread");
        await app.Console.WaitForAsync("generation 0 crashed; waiting for the next edit", mark);
    }
}
