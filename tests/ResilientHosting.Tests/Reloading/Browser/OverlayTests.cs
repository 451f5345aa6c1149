using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;
using static Microsoft.Playwright.Assertions;

namespace ResilientHosting.Tests.Reloading;

/// <summary>The overlay in a page that allows nothing but scripts of its own origin.</summary>
public sealed class OverlayTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private const string Active = "() => { let active = document.activeElement; while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement; return active.id || active.className || active.textContent; }";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Show_UnderAStrictPolicy_IsStyled_AndLeavesThePageAsItIs()
    {
        var page = await chromium.OpenStrictPageAsync();
        var said = new List<string>();
        page.Console += (_, message) => said.Add(message.Text);
        var before = await page.Locator("body").InnerHTMLAsync();

        await page.ShowAsync(CompileError());

        await Expect(page.GetByRole(AriaRole.Dialog, new() { Name = "The latest edit has 1 error." })).ToBeVisibleAsync();
        await Expect(page.Locator("dialog")).ToHaveCSSAsync("border-radius", "8px");
        await Expect(page.Locator("mark")).ToHaveTextAsync("identifier");
        await Expect(page.Locator(".marked")).ToHaveAttributeAsync("data-number", "2");
        Assert.StartsWith("vscode://file/", await page.GetByRole(AriaRole.Link, new() { Name = "Program.cs:2:14" }).GetAttributeAsync("href"), StringComparison.Ordinal);
        Assert.Equal(before, await page.Locator("body").InnerHTMLAsync());
        Assert.Empty(said);
    }

    [Fact]
    public async Task Keyboard_ReachesEverything_StaysInside_AndGivesTheFocusBack()
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.Locator("#second").FocusAsync();
        await page.ShowAsync(StartFailure());
        Assert.Equal("title", await page.EvaluateAsync<string>(Active));

        string[] round = ["close", "Program.cs:2", "Program.cs:1", "The whole stack (2)", "close", "Program.cs:2"];
        foreach (var stop in round)
        {
            await page.Keyboard.PressAsync("Tab");
            Assert.Equal(stop, await page.EvaluateAsync<string>(Active));
        }

        foreach (var stop in (string[])["close", "The whole stack (2)", "Program.cs:1"])
        {
            await page.Keyboard.PressAsync("Shift+Tab");
            Assert.Equal(stop, await page.EvaluateAsync<string>(Active));
        }

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("details pre")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");

        await Expect(page.Locator("dialog")).ToHaveCountAsync(0);
        Assert.Equal("second", await page.EvaluateAsync<string>(Active));
    }

    [Fact]
    public async Task Dismissed_StaysAwayForTheSameFailure_AndComesAgainForAnother()
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.ShowAsync(CompileError());
        await page.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await Expect(page.Locator("dialog")).ToHaveCountAsync(0);

        await page.ShowAsync(CompileError());
        await page.ReloadAsync();
        await page.ShowAsync(CompileError());
        Assert.Equal(0, await page.Locator("dialog").CountAsync());

        await page.ShowAsync(StartFailure());
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();

        // Served again in between: the same mistake is a new failure.
        await page.HideAsync();
        await Expect(page.Locator("dialog")).ToHaveCountAsync(0);
        await page.ShowAsync(CompileError());
        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Show_AnotherFailure_ReplacesTheFirstInPlace()
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.Locator("#first").FocusAsync();
        await page.ShowAsync(CompileError());
        await page.GetByRole(AriaRole.Link).FocusAsync();

        await page.ShowAsync(StartFailure());

        await Expect(page.Locator("dialog")).ToHaveCountAsync(1);
        await Expect(page.Locator("#title")).ToHaveTextAsync("The latest edit does not start.");
        await Expect(page.Locator("#title")).ToHaveAttributeAsync("aria-live", "polite");
        Assert.Equal("title", await page.EvaluateAsync<string>(Active));
        await page.HideAsync();
        Assert.Equal("first", await page.EvaluateAsync<string>(Active));
    }

    [Fact]
    public async Task Show_WhatAScriptOfThePageHasRemoved_ShowsItAgain()
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.ShowAsync(CompileError());
        await page.EvaluateAsync("document.querySelector('dev-reloader-overlay').remove()");

        await page.ShowAsync(CompileError());

        await Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Text_InEitherScheme_HasEnoughContrast(ColorScheme scheme)
    {
        var page = await chromium.OpenStrictPageAsync(scheme);
        await page.ShowAsync(CompileError() with { Exception = StartFailure().Exception, MoreDiagnostics = 3 });
        await page.EvaluateAsync("document.querySelector('dev-reloader-overlay').shadowRoot.querySelector('details').open = true");

        var contrasts = await page.EvaluateAsync<Dictionary<string, double>>(
            """
            () => {
              const luminance = color => color.match(/[\d.]+/g).slice(0, 3).map(Number).map(value => value / 255)
                .map(value => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4)
                .reduce((sum, value, index) => sum + value * [.2126, .7152, .0722][index], 0);
              const behind = element => {
                for (; element; element = element.parentElement) {
                  const color = getComputedStyle(element).backgroundColor;
                  if (color !== "rgba(0, 0, 0, 0)") return color;
                }
              };
              const measured = {};
              const measure = (name, element, color) => {
                const [light, dark] = [luminance(color), luminance(behind(element))].sort((a, b) => b - a);
                measured[name] = Math.min(measured[name] ?? 99, (light + .05) / (dark + .05));
              };
              for (const element of document.querySelector("dev-reloader-overlay").shadowRoot.querySelectorAll("dialog *")) {
                const name = element.localName + "." + element.className;
                if ([...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) measure(name, element, getComputedStyle(element).color);
                if (element.dataset.number) measure(name + " number", element, getComputedStyle(element, "::before").color);
              }
              return measured;
            }
            """);

        Assert.True(contrasts.Count > 15, string.Join(", ", contrasts.Keys));
        Assert.All(contrasts, contrast => Assert.True(contrast.Value >= 4.5, $"{contrast.Key}: {contrast.Value:0.00}"));
    }

    [Theory]
    [InlineData(320, 568, 1)]
    [InlineData(600, 380, 2)]
    public async Task Show_OnANarrowScreenOrEnlarged_CutsNothingOff(int width, int height, int zoom)
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.SetViewportSizeAsync(width / zoom, height);
        await page.ShowAsync(CompileError() with { Exception = StartFailure().Exception });

        var (over, left, right) = await page.EvaluateAsync<(int, int, int)>(
            """
            () => {
              const dialog = document.querySelector("dev-reloader-overlay").shadowRoot.querySelector("dialog");
              const box = dialog.getBoundingClientRect();
              return { Item1: dialog.scrollWidth - dialog.clientWidth, Item2: box.left, Item3: innerWidth - box.right };
            }
            """);

        Assert.Equal(0, over);
        Assert.True(left >= 0 && right >= 0, $"{left}, {right}");
        await page.GetByText("The whole stack").ScrollIntoViewIfNeededAsync();
        await Expect(page.GetByText("The whole stack")).ToBeInViewportAsync();
    }

    [Theory]
    [InlineData(ReducedMotion.Reduce, 0)]
    [InlineData(ReducedMotion.NoPreference, 1)]
    public async Task Show_WhereMotionIsNotWanted_DoesNotMove(ReducedMotion motion, int animations)
    {
        var page = await chromium.OpenStrictPageAsync();
        await page.EmulateMediaAsync(new() { ReducedMotion = motion });

        // Counted in the same turn, before any of it can be over.
        var count = await page.EvaluateAsync<int>(
            "async failure => { (await import('/_dev/overlay.js')).show(JSON.parse(failure)); return document.querySelector('dev-reloader-overlay').shadowRoot.getAnimations().length; }",
            FailurePages.Json(CompileError()));

        Assert.Equal(animations, count);
    }

    [Fact]
    public async Task HostileText_IsShownAndNeverRun()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        var page = await chromium.OpenLaxPageAsync();
        for (var i = 0; i < 40; i++)
        {
            var failure = HostileFailure.Next(random, _folder);

            await page.ShowAsync(failure);

            Assert.True(await page.EvaluateAsync<bool>("() => window.broken === undefined"), $"Seed {Seed}, failure {i}");
            var elements = await page.EvaluateAsync<string>("() => [...new Set([...document.querySelector('dev-reloader-overlay').shadowRoot.querySelectorAll('*')].map(element => element.localName))].sort().join()");
            Assert.True(HostileFailure.IsOurs(elements), $"Seed {Seed}, failure {i}: {elements}");
            Assert.Equal(failure.Diagnostics[0].Message, await page.Locator("li .message").First.EvaluateAsync<string>("message => message.lastChild.data"));
        }
    }

    private ReloadFailure CompileError()
    {
        var program = Program();
        return SomeFailure.ReaderOf(_folder.Path).Read(
            "The latest edit has 1 error.", [new BuildDiagnostic("CS0103", true, program, 2, 14, "The name 'identifier' does not exist") { Project = "/shop/Shop.csproj" }]);
    }

    private ReloadFailure StartFailure()
    {
        var program = Program();
        return SomeFailure.ReaderOf(_folder.Path).Read(
            "The latest edit does not start.",
            new FakeException("no settings", $"   at Shop.Settings.Read() in {program}:line 2\n   at Program.<Main>$(String[] args) in {program}:line 1"));
    }

    private string Program() => _folder.Write("Program.cs", "var shop = Shop.Open();\nvar a = Find(identifier);\n" + new string('/', 300));
}
