using System.Runtime.Loader;
using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What the page makes of what it is told, in a browser.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class PageContentTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Hostile =
        "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script></script><svg onload=window.hit=1>' \" &lt; {{hit}} ${hit} \u202e \u001b[31m \ud800 \u2028";

    // Contrast of every text with what is behind it, as WCAG 2 computes it; a canvas knows every notation of a colour.
    private const string LowContrast = """
        () => {
          const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
          const paint = (...colours) => {
            canvas.fillStyle = "white";
            canvas.fillRect(0, 0, 1, 1);
            for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const luminance = rgb => rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          const found = [];
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const text = texts.currentNode, parent = text.parentElement;
            if (!text.data.trim() || !parent.checkVisibility() || parent.closest("script, noscript, button:disabled")) continue;
            const behind = [];
            for (let element = parent; element; element = element.parentElement) behind.unshift(getComputedStyle(element).backgroundColor);
            const [front, back] = [paint(...behind, getComputedStyle(parent).color), paint(...behind)].map(luminance);
            const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
            if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${text.data}`);
          }
          return found;
        }
        """;

    [Fact]
    public async Task HostileTexts_AreShownAsTheyAre_AndNothingRuns()
    {
        await using var served = await ServeAsync(Hostile);
        var page = await chromium.OpenAsync();
        var complaints = new List<string>();
        page.Console += (_, message) => complaints.Add(message.Text);
        page.PageError += (_, error) => complaints.Add(error);

        await page.GotoAsync(new Uri(served.Address, "/_dev").ToString());
        await page.GetByRole(AriaRole.Status).GetByText("Broken").WaitForAsync();

        foreach (var place in (string[])["#application", "#failure-title", "#failure-place", "#reloads .reason", "#pools strong", "#aborts .abort code", "#retired code", "#watched code"])
        {
            Assert.Contains("<script>window.hit=1</script>", await page.Locator(place).First.TextContentAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(0, await page.Locator("main img").CountAsync());
        Assert.Equal(1, await page.Locator("script").CountAsync());
        Assert.True(await page.EvaluateAsync<bool>("window.hit === undefined"));
        Assert.Empty(complaints);
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Policy_LetsNothingElseRun()
    {
        await using var served = await ServeAsync("harmless");
        var page = await chromium.OpenAsync(new Uri(served.Address, "/_dev/").ToString());
        await page.GetByRole(AriaRole.Status).GetByText("Broken").WaitForAsync();

        var stopped = await page.EvaluateAsync<string>("""
            () => new Promise(stopped => {
              document.addEventListener("securitypolicyviolation", violation => stopped(violation.effectiveDirective));
              const script = document.createElement("script");
              try { script.textContent = "window.hit = 1"; } catch (error) { stopped(error.name); return; }
              document.body.append(script);
            })
            """);

        Assert.Contains(stopped, (string[])["TypeError", "require-trusted-types-for", "script-src-elem"]);
        Assert.True(await page.EvaluateAsync<bool>("window.hit === undefined"));
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData(320)]
    [InlineData(1600)]
    public async Task LongNames_DontMakeThePageWiderThanTheScreen(int width)
    {
        await using var served = await ServeAsync(new string('W', 300));
        var page = await chromium.OpenAsync();
        await page.SetViewportSizeAsync(width, 800);
        await page.GotoAsync(new Uri(served.Address, "/_dev").ToString());
        await page.GetByRole(AriaRole.Status).GetByText("Broken").WaitForAsync();

        Assert.InRange(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), 1, width);
        await page.Context.CloseAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Texts_StandOutFromWhatIsBehindThem(ColorScheme scheme)
    {
        await using var served = await ServeAsync("text");
        var page = await chromium.OpenAsync(new Uri(served.Address, "/_dev").ToString(), scheme);
        await page.GetByRole(AriaRole.Status).GetByText("Broken").WaitForAsync();
        foreach (var mood in (string[])["watching", "busy", "paused", "broken", "away"])
        {
            await page.EvaluateAsync("mood => { document.getElementById('state').dataset.mood = mood }", mood);
            Assert.Empty(await page.EvaluateAsync<string[]>(LowContrast));
        }

        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task NothingYet_SaysWhatToDo()
    {
        await using var served = await ServedEndpoints.StartAsync(Watching(), new FakeReloader(), () => ServedEndpoints.NothingLive);
        var page = await chromium.OpenAsync(new Uri(served.Address, "/_dev").ToString());

        await page.GetByText("No reloads yet. Save a file.").WaitForAsync();
        await page.GetByText("UsePool()").WaitForAsync();
        await page.GetByText("app.UseClientAbortTolerance()").WaitForAsync();
        await page.GetByText("None. Each was let go completely.").WaitForAsync();
        Assert.Equal("Watching · Shop", await page.TitleAsync());
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task ButtonsThatAreRefused_SayWhy()
    {
        await using var served = await ServedEndpoints.StartAsync(Watching(), new FakeReloader(), () => ServedEndpoints.NothingLive);
        var page = await chromium.OpenAsync();
        await page.RouteAsync("**/_dev/reload", route => route.FulfillAsync(new() { Status = 403, Body = "not today" }));
        await page.GotoAsync(new Uri(served.Address, "/_dev").ToString());

        await page.GetByRole(AriaRole.Button, new() { Name = "Reload now" }).ClickAsync();

        await page.GetByRole(AriaRole.Alert).GetByText("not today").WaitForAsync();
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task Bars_AreOnOneScale_AndASingleLongOneIsTornOff()
    {
        await using var served = await ServedEndpoints.StartAsync(
            Watching(), new FakeReloader { History = [Reload(1, 10), Reload(2, 20), Reload(3, 5_000), Reload(4, 20)] }, () => ServedEndpoints.NothingLive);
        var page = await chromium.OpenAsync(new Uri(served.Address, "/_dev").ToString());
        await page.Locator("#reloads > li").Nth(3).WaitForAsync();

        var widths = await page.EvaluateAsync<double[]>("[...document.querySelectorAll('#reloads .build')].map(bar => bar.getBoundingClientRect().width)");

        Assert.InRange(widths[0] / widths[3], 1.99, 2.01);
        Assert.Equal(widths[0], widths[2], 0.01);
        var torn = await page.EvaluateAsync<bool[]>("[...document.querySelectorAll('#reloads .bar')].map(bar => bar.classList.contains('torn'))");
        Assert.Equal([false, true, false, false], torn);
        Assert.Equal("5.0 s", await page.Locator("#reloads .total").Nth(1).InnerTextAsync());
        await page.Context.CloseAsync();
    }

    [Fact]
    public async Task ReloadThatIsUnfolded_StaysSo_WhenTheNextOneComes()
    {
        var reloader = new FakeReloader { History = [Reload(1, 10, "first error", "second error")] };
        await using var served = await ServedEndpoints.StartAsync(Watching(), reloader, () => ServedEndpoints.NothingLive);
        var page = await chromium.OpenAsync(new Uri(served.Address, "/_dev").ToString());
        await page.Locator("summary").GetByText("first error").WaitForAsync();
        await page.Locator("summary").PressAsync("Enter");

        reloader.History = [.. reloader.History, Reload(2, 10)];
        await page.Locator("#reloads > li").Nth(1).WaitForAsync();

        Assert.True(await page.GetByText("second error").IsVisibleAsync());
        Assert.True(await page.EvaluateAsync<bool>("document.activeElement.tagName === 'SUMMARY'"));
        await page.Context.CloseAsync();
    }

    private static ReloadStatus Watching()
    {
        var status = new ReloadStatus(TimeProvider.System);
        status.Change(now => now with { Phase = ReloadPhase.Watching });
        return status;
    }

    private static ReloadRecord Reload(int generation, int milliseconds, params string[] errors)
    {
        var time = TimeSpan.FromMilliseconds(milliseconds);
        return new ReloadRecord(generation, "Program.cs", errors.Length == 0, time, TimeSpan.Zero, TimeSpan.Zero, time, 0, [], errors)
        {
            Time = DateTimeOffset.UnixEpoch + TimeSpan.FromMinutes(generation),
        };
    }

    /// <summary>Serves a page on which everything that can be called something is called this.</summary>
    private static Task<ServedEndpoints> ServeAsync(string name)
    {
        var status = new ReloadStatus(TimeProvider.System);
        status.Change(now => now with
        {
            Generation = 2,
            Phase = ReloadPhase.Watching,
            Failure = ServedEndpoints.FailureCalled(name),
        });
        var reload = new ReloadRecord(2, name, false, TimeSpan.FromMilliseconds(5), TimeSpan.Zero, TimeSpan.Zero, TimeSpan.FromMilliseconds(9), 1, [name], [name]);
        var live = new LiveData(
            name, true, TimeProvider.System.GetUtcNow(),
            [new WatchedRoot("/" + name, 1, name, name)],
            [new RetiredGeneration(1, AssemblyLoadContext.Default) { State = RetiredState.Held, Causes = [new LeakCause(name, name)] }],
            [new PoolUse(name, 1, 1, 0, 3, 2)],
            new AbortCounts(new Dictionary<string, long> { [name] = 1 }, [new SeenAbort(TimeProvider.System.GetUtcNow(), name, name, name, name)]));
        return ServedEndpoints.StartAsync(status, new FakeReloader { History = [reload] }, () => live);
    }
}
