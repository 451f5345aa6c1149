using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;
using static Microsoft.Playwright.Assertions;

namespace ResilientHosting.Tests.Reloading;

public sealed class ErrorPageTests(Chromium chromium) : IClassFixture<Chromium>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Page_UnderItsOwnPolicy_LooksAsTheOverlayDoes()
    {
        var said = new List<string>();
        var program = _folder.Write("Program.cs", "var shop = Shop.Open();\nvar a = Find(identifier);\n");
        var failure = SomeFailure.ReaderOf(_folder.Path).Read("The latest edit has 1 error.", [new BuildDiagnostic("CS0103", true, program, 2, 14, "no identifier")]);

        var page = await chromium.OpenErrorPageAsync(Moment(failure));
        page.Console += (_, message) => said.Add(message.Text);

        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("The latest edit has 1 error.");
        await Expect(page.Locator("main")).ToHaveCSSAsync("border-radius", "8px");
        await Expect(page.Locator("mark")).ToHaveTextAsync("identifier");
        var ofPage = await TextOfAsync(page.Locator("main"));
        await page.ShowAsync(failure);
        Assert.EndsWith(await TextOfAsync(page.Locator("dialog .content")), ofPage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task HostileText_IsShownAndNeverRun()
    {
        const int Seed = 20_261_123;
        var random = new Random(Seed);
        for (var i = 0; i < 10; i++)
        {
            var failure = HostileFailure.Next(random, _folder);

            var page = await chromium.OpenErrorPageAsync(Moment(failure), policy: "");

            Assert.True(await page.EvaluateAsync<bool>("() => window.broken === undefined"), $"Seed {Seed}, failure {i}");
            var elements = await page.EvaluateAsync<string>("() => [...new Set([...document.querySelectorAll('*')].map(element => element.localName))].sort().join()");
            Assert.True(HostileFailure.IsOurs(elements), $"Seed {Seed}, failure {i}: {elements}");
            Assert.Equal(1, await page.Locator("script").CountAsync());
            await page.Context.CloseAsync();
        }
    }

    [Theory]
    [InlineData(ReloadPhase.Building, "Building…")]
    [InlineData(ReloadPhase.Swapping, "Starting…")]
    [InlineData(ReloadPhase.Watching, "")]
    public async Task Page_WhileAFixIsMade_SaysSo(object phase, string text)
    {
        var moment = Moment(SomeFailure.Of("The latest edit has 1 error."));

        var page = await chromium.OpenErrorPageAsync(moment, policy: null, moment with { Phase = (ReloadPhase)phase });

        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync(text);
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(4, false)]
    public async Task Page_OnceTheEditIsDealtWith_AsksAgain(int attempt, bool hasFailed)
    {
        var moment = Moment(SomeFailure.Of("The latest edit has 1 error."));
        var later = moment with { Attempt = attempt, Failure = hasFailed ? moment.Failure : null };

        var page = await chromium.OpenErrorPageAsync(moment, policy: null, moment with { Phase = ReloadPhase.Building }, later);

        await page.WaitForFunctionAsync("() => performance.getEntriesByType('navigation')[0].type === 'reload'");
    }

    private static ReloadMoment Moment(ReloadFailure failure) => new(1, 3, 4, ReloadPhase.Watching, false, failure, default);

    private static async Task<string> TextOfAsync(ILocator element) => string.Concat((await element.TextContentAsync())!.Where(letter => !char.IsWhiteSpace(letter)));
}
