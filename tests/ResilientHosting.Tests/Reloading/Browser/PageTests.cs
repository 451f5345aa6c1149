using System.Globalization;
using Microsoft.Playwright;
using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Reloading.Retire;

namespace ResilientHosting.Tests.Reloading;

/// <summary>The page of a reloader at work, in a browser.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class PageTests(ReloadableProject project, PageTests.PooledApp pooled, Chromium chromium)
    : IClassFixture<PageTests.PooledApp>, IClassFixture<Chromium>, IAsyncLifetime
{
    private const string Broken = "edited\" + ;";

    private IPage _page = null!;

    private ReloadableApp App => pooled.App;

    public async ValueTask InitializeAsync()
    {
        await App.ResetAsync(project);
        _page = await chromium.OpenAsync(new Uri(App.Address, "/_dev").ToString());
        await ExpectHeadlineAsync("Watching");
    }

    public async ValueTask DisposeAsync() => await _page.Context.CloseAsync();

    [Fact]
    public async Task Edit_IsShownAsItHappens_WithoutLoadingThePageAgain()
    {
        await _page.EvaluateAsync("window.isTheSame = true");

        var generation = await App.ReloadAsync(() => project.EditGreeting("original", "seen"));

        var row = await RowOfAsync(generation);
        Assert.Contains("Program.cs", await row.Locator(".reason").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Matches("^[0-9.]+ m?s$", await row.Locator(".total").InnerTextAsync());
        Assert.Matches(" · build [0-9.]+ ", await row.Locator(".more").InnerTextAsync());
        Assert.True(await row.Locator(".bar .build").EvaluateAsync<bool>("bar => bar.getBoundingClientRect().width > 0"));
        await _page.GetByText(string.Create(CultureInfo.InvariantCulture, $"Generation {generation} serves since")).WaitForAsync();
        Assert.True(await _page.EvaluateAsync<bool>("window.isTheSame"));
    }

    [Fact]
    public async Task PauseThenEditThenResume_ByClicks_ServesTheEditAtResume()
    {
        await _page.GetByRole(AriaRole.Button, new() { Name = "Pause" }).ClickAsync();
        await ExpectHeadlineAsync("Paused");
        var mark = App.Console.Count;
        project.EditGreeting("original", "held back");
        Assert.Equal("original", await App.GetAsync("/"));
        Assert.DoesNotContain(App.Console.Since(mark), line => line.Contains("-> generation", StringComparison.Ordinal));

        await _page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();

        await App.Console.WaitForAsync("-> generation", mark);
        await RowOfAsync(await App.GetGenerationAsync());
        Assert.Equal("held back", await App.GetAsync("/"));
        await ExpectHeadlineAsync("Watching");
    }

    [Fact]
    public async Task ReloadButton_IsReachedAndPressedByKeyboard()
    {
        var before = await App.GetGenerationAsync();
        await _page.Keyboard.PressAsync("Tab");
        Assert.Equal("Pause", await FocusedAsync());
        await _page.Keyboard.PressAsync("Tab");
        Assert.Equal("Reload now", await FocusedAsync());

        await _page.Keyboard.PressAsync("Enter");

        var row = await RowOfAsync(before + 1);
        Assert.Equal("asked for over HTTP", await row.Locator(".reason").InnerTextAsync());
        Assert.Equal("Reload now", await FocusedAsync());
    }

    [Fact]
    public async Task EditWithAnError_IsShownWithItsFirstPlace_UntilItIsMended()
    {
        project.EditGreeting("original", Broken);
        await ExpectHeadlineAsync("Broken");

        Assert.Matches(@"^Program\.cs\(\d+,\d+\): CS\d+: ", await _page.Locator("#failure-place").InnerTextAsync());
        await _page.GetByText("The last good version serves").WaitForAsync();
        Assert.Equal("original", await App.GetAsync("/"));
        await _page.Locator("#reloads > li").First.GetByText("not served").WaitForAsync();

        project.EditGreeting(Broken, "mended");
        await ExpectHeadlineAsync("Watching");
        await _page.Locator("#failure").WaitForAsync(new() { State = WaitForSelectorState.Hidden });
    }

    [Fact]
    public async Task Request_ThatHoldsAnObjectOfAPool_IsCounted_AndItsAbortIsShownByCause()
    {
        await using (var client = await RawHttpClient.ConnectAsync(App.Address))
        {
            await client.SendGetAsync("/pooled/hold");
            await _page.Locator("#pools").GetByText("1 of 4 in use").WaitForAsync();
            client.Leave(Departure.Rst);
        }

        await _page.Locator("#pools").GetByText("0 of 4 in use").WaitForAsync();
        var abort = _page.Locator("#aborts .abort").First;
        await abort.GetByText("client left").WaitForAsync();
        Assert.Contains("/pooled/hold · in compute", await abort.InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RetiredGenerations_WhoseMetersWereRead_LeaveMemory()
    {
        await App.ReloadAsync(() => project.Replace("Program.cs", "app.Run();", LoadedGenerations.Endpoint + "app.Run();"));
        var greeting = "original";
        for (var reload = 0; reload < 3; reload++)
        {
            await RowOfAsync(await App.ReloadAsync(() => project.EditGreeting(greeting, greeting = string.Create(CultureInfo.InvariantCulture, $"read {reload}"))));
            await _page.Locator("#pools").GetByText("0 of 4 in use").WaitForAsync();
        }

        await _page.Locator("#retired").GetByText("waits for the collector").WaitForAsync();
        await LoadedGenerations.WaitForOneAsync(App);
    }

    [Fact]
    public async Task Watched_NamesTheFoldersAndTheirBackend()
    {
        var watched = _page.Locator("#watched li").Filter(new() { Has = _page.GetByText(project.Folder, new() { Exact = true }) });

        Assert.Contains("by events", await watched.InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ServerRestarted_IsSaid_AndThePageGoesOn()
    {
        var first = await ReloadableApp.StartAsync(project);
        var page = await chromium.OpenAsync(new Uri(first.Address, "/_dev/").ToString());
        await page.GetByText(Process(first)).WaitForAsync();

        await first.DisposeAsync();
        await page.GetByRole(AriaRole.Status).GetByText("Not reachable").WaitForAsync();
        Assert.True(await page.GetByRole(AriaRole.Button, new() { Name = "Reload now" }).IsDisabledAsync());

        await using var second = await ReloadableApp.StartAsync(project, "--urls", first.Address.ToString());
        await page.GetByText(Process(second)).WaitForAsync();
        await page.GetByRole(AriaRole.Status).GetByText("Watching").WaitForAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Reload now" }).ClickAsync();
        await second.Console.WaitForAsync("asked for over HTTP -> generation 1");
        await page.Context.CloseAsync();

        static string Process(ReloadableApp app) => string.Create(CultureInfo.InvariantCulture, $"Process {app.ProcessId}, up");
    }

    private Task ExpectHeadlineAsync(string headline) => _page.GetByRole(AriaRole.Status).GetByText(headline, new() { Exact = true }).WaitForAsync();

    private Task<string> FocusedAsync() => _page.EvaluateAsync<string>("document.activeElement.textContent");

    private async Task<ILocator> RowOfAsync(int generation)
    {
        var number = string.Create(CultureInfo.InvariantCulture, $"^{generation}$");
        var row = _page.Locator("#reloads > li").Filter(new() { Has = _page.Locator(".number", new() { HasTextRegex = new(number) }) });
        await row.WaitForAsync();
        return row;
    }

    /// <summary>One process for all tests, with a pool, and told of aborts.</summary>
    public sealed class PooledApp(ReloadableProject project) : IAsyncLifetime
    {
        private ReloadableApp? _app;

        public ReloadableApp App => _app ?? throw new InvalidOperationException("Not started.");

        public async ValueTask InitializeAsync() => _app = await ReloadableApp.StartAsync(project, "--Pooled=true");

        public async ValueTask DisposeAsync()
        {
            if (_app is not null)
            {
                await _app.DisposeAsync();
            }
        }
    }
}
