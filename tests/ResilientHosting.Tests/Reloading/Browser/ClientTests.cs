using Microsoft.Playwright;
using ResilientHosting.Tests.Infrastructure;
using static Microsoft.Playwright.Assertions;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What a developer sees in a browser.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class ClientTests(ReloadableProject project, SharedApp shared, Chromium chromium)
    : IClassFixture<SharedApp>, IClassFixture<Chromium>, IAsyncLifetime
{
    private ReloadableApp App => shared.App;

    public async ValueTask InitializeAsync()
    {
        SetDefaultExpectTimeout((float)ConsoleLines.Timeout.TotalMilliseconds);
        await App.ResetAsync(project);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var context in chromium.Browser.Contexts.ToArray())
        {
            await context.CloseAsync();
        }
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("compressed")]
    [InlineData("secured?policy=default-src 'self'")]
    [InlineData("secured?policy=script-src 'nonce-r4nd0m'; connect-src 'self'")]
    [InlineData("secured?policy=script-src 'nonce-r4nd0m' 'strict-dynamic'; connect-src 'self'")]
    [InlineData("secured?policy=default-src 'self'; require-trusted-types-for 'script'")]
    public async Task Page_AfterAnEdit_IsRefreshed(string path)
    {
        var page = await OpenAsync("/pages/" + path);
        await Expect(page.Locator("main")).ToHaveTextAsync("v1");

        Edit("v1", "v2");

        await Expect(page.Locator("main")).ToHaveTextAsync("v2");
    }

    [Fact]
    public async Task Pages_InSeveralTabs_AreRefreshedOnceEach_WhereTheyWere()
    {
        var pages = new[] { await OpenAsync("/pages/tall"), await OpenAsync("/pages/tall"), await OpenAsync("/pages/plain") };
        var loads = 0;
        foreach (var page in pages)
        {
            page.Load += (_, _) => Interlocked.Increment(ref loads);
        }

        await pages[0].EvaluateAsync("scrollTo(0, 1500)");

        // An edit that fails doesn't touch them.
        await App.ExpectAsync("keeps serving", () => project.Replace("RefreshPages.cs", "Version = \"v1\";", "Version = \"v2\""));
        await App.ReloadAsync(() => project.Replace("RefreshPages.cs", "Version = \"v2\"", "Version = \"v3\";"));

        foreach (var page in pages)
        {
            await Expect(page.Locator("main")).ToContainTextAsync("v3");
        }

        await pages[0].WaitForFunctionAsync("scrollY === 1500");
        Assert.Equal(pages.Length, loads);
    }

    [Fact]
    public async Task Page_OutOfSight_LetsGoOfTheServer_AndIsRefreshedWhenItIsSeenAgain()
    {
        var page = await OpenAsync("/pages/plain");
        var letGo = new TaskCompletionSource();
        page.RequestFailed += (_, request) => letGo.TrySetResult();

        await SetHiddenAsync(page, true);
        await letGo.Task.WaitAsync(ConsoleLines.Timeout, TestContext.Current.CancellationToken);
        await App.ReloadAsync(() => Edit("v1", "v2"));
        await Expect(page.Locator("main")).ToHaveTextAsync("v1");
        await SetHiddenAsync(page, false);

        await Expect(page.Locator("main")).ToHaveTextAsync("v2");
    }

    [Fact]
    public async Task Page_ThatFetchesAnother_GetsItAsItIs()
    {
        var page = await OpenAsync("/pages/plain");

        var fetched = await page.EvaluateAsync<string>("fetch('/pages/plain', { headers: { accept: 'text/html' } }).then(answer => answer.text())");

        Assert.Contains("v1", fetched, StringComparison.Ordinal);
        Assert.DoesNotContain("client.js", fetched, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_WhosePolicyForbidsTheScript_SaysWhy()
    {
        var page = await chromium.OpenAsync();
        var line = App.Console.WaitForAsync("/pages/secured is not refreshed by itself", App.Console.Count);

        var answer = await page.GotoAsync(Address("/pages/secured?policy=script-src https://cdn.test"));

        Assert.Contains("script-src", await answer!.HeaderValueAsync("X-Dev-Refresh"), StringComparison.Ordinal);
        Assert.Contains("script-src", await line, StringComparison.Ordinal);
        await Expect(page.Locator("script")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Page_WithAPolicyInItself_IsAskedOnce()
    {
        var page = await chromium.OpenAsync();
        await page.AddInitScriptAsync("violations = 0; document.addEventListener('securitypolicyviolation', () => violations++)");
        await page.GotoAsync(Address("/pages/self-secured"));
        await page.WaitForFunctionAsync("violations === 1");

        // The next connection would be made at once.
        await SetHiddenAsync(page, true);
        await SetHiddenAsync(page, false);
        await page.EvaluateAsync("new Promise(requestAnimationFrame)");

        Assert.Equal(1, await page.EvaluateAsync<int>("violations"));
    }

    [Fact]
    public async Task Page_ThatIsStillComing_ListensAlready()
    {
        var page = await chromium.OpenAsync();

        await page.RunAndWaitForResponseAsync(
            () => page.GotoAsync(Address("/pages/endless"), new() { WaitUntil = WaitUntilState.Commit }), "**/_dev/events*");

        Assert.Equal("loading", await page.EvaluateAsync<string>("document.readyState"));
        await page.CloseAsync();
    }

    [Fact]
    public async Task StyleSheet_AfterAnEdit_IsReplacedWithoutAReload()
    {
        var page = await OpenAsync("/pages/plain");
        var generation = await App.GetGenerationAsync();
        var main = page.Locator("main");
        await page.EvaluateAsync("window.untouched = true");
        await Expect(main).ToHaveCSSAsync("border-top-width", "0px");

        var line = await App.ExpectAsync("-> ", () => project.Replace("wwwroot/css/site.css", "none", "solid"));
        await Expect(main).ToHaveCSSAsync("border-top-width", "1px");
        project.Replace("wwwroot/css/site.css", "1px", "7px");
        await Expect(main).ToHaveCSSAsync("border-top-width", "7px");

        // Imported by the other one.
        project.Replace("wwwroot/css/colors.css", "0, 0, 255", "255, 0, 0");
        await Expect(main).ToHaveCSSAsync("color", "rgb(255, 0, 0)");

        Assert.EndsWith("wwwroot/css/site.css -> 1 open page", line, StringComparison.Ordinal);
        await Expect(page.Locator("link")).ToHaveCountAsync(1);
        Assert.True(await page.EvaluateAsync<bool>("untouched"));
        Assert.Equal(generation, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task StaticFile_AfterAnEdit_RefreshesThePage_WhichGetsItAfresh()
    {
        var page = await OpenAsync("/pages/script");
        var generation = await App.GetGenerationAsync();
        await Expect(page).ToHaveTitleAsync("script v1");

        project.Replace("wwwroot/site.js", "v1", "v2");

        await Expect(page).ToHaveTitleAsync("script v2");
        Assert.Equal(generation, await App.GetGenerationAsync());
    }

    [Fact]
    public async Task Page_BelowAPathBase_NeedsNothingThatIsElsewhere()
    {
        var page = await chromium.OpenAsync();

        // As behind a proxy that passes on nothing else.
        await page.RouteAsync("**/*", route => new Uri(route.Request.Url).AbsolutePath.StartsWith("/pages/below", StringComparison.Ordinal) ? route.ContinueAsync() : route.AbortAsync());
        await OpenAsync("/pages/below", page);

        Edit("v1", "v2");

        await Expect(page.Locator("main")).ToHaveTextAsync("v2");
    }

    private void Edit(string from, string to) => project.Replace("RefreshPages.cs", $"Version = \"{from}\"", $"Version = \"{to}\"");

    private static async Task SetHiddenAsync(IPage page, bool hidden) => await page.EvaluateAsync(
        "hidden => { Object.defineProperty(document, 'hidden', { configurable: true, value: hidden }); document.dispatchEvent(new Event('visibilitychange')); }", hidden);

    /// <summary>Opens a page, and waits until it listens and can show failures.</summary>
    private async Task<IPage> OpenAsync(string path, IPage? page = null)
    {
        page ??= await chromium.OpenAsync();
        var overlay = page.WaitForResponseAsync("**/_dev/overlay.js");
        await page.RunAndWaitForResponseAsync(() => page.GotoAsync(Address(path)), "**/_dev/events*");
        await overlay;
        return page;
    }

    private string Address(string path) => new Uri(App.Address, path).ToString();
}
