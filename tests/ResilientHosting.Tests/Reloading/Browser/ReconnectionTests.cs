using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Playwright;
using ResilientHosting.Tests.Infrastructure;
using static Microsoft.Playwright.Assertions;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Pages whose server is another one after a while, or an unusual one.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class ReconnectionTests(ReloadableProject project, Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData("/pages/plain")]
    [InlineData("/pages/below")]
    public async Task Page_WhoseProcessIsStartedAgain_IsRefreshed(string path)
    {
        var environment = AtAFixedPort();
        IPage page;
        await using (var first = await StartAsync(environment))
        {
            page = await OpenAsync(first, path);
            await page.EvaluateAsync("window.isOld = true");
        }

        await using var second = await StartAsync(environment);

        // The generation's number is the same.
        await page.WaitForFunctionAsync("window.isOld === undefined && document.querySelector('main')?.textContent === 'v1'");
    }

    [Fact]
    public async Task Page_OverHttp2_IsRefreshed()
    {
        var certificate = project.PathBeside("certificate.pfx");
        await File.WriteAllBytesAsync(certificate, TestCertificate.Value.Export(X509ContentType.Pkcs12), TestContext.Current.CancellationToken);
        await using var app = await StartAsync(new Dictionary<string, string>
        {
            ["Kestrel__Endpoints__Secure__Url"] = "https://127.0.0.1:0",
            ["Kestrel__Endpoints__Secure__Certificate__Path"] = certificate,
        });
        var page = await OpenAsync(app, "/pages/plain");
        Assert.Equal("h2", await page.EvaluateAsync<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol"));

        foreach (var version in (int[])[1, 2, 3])
        {
            project.Replace("RefreshPages.cs", $"Version = \"v{version}\"", $"Version = \"v{version + 1}\"");
            await Expect(page.Locator("main")).ToHaveTextAsync($"v{version + 1}");
        }
    }

    [Fact]
    public async Task Page_OfAnOrdinaryServer_IsRefreshed_ThoughThePortIsClosedMeanwhile()
    {
        await using var app = await StartAsync(AtAFixedPort(), "--AddDevReloader=false");
        var page = await OpenAsync(app, "/pages/plain");

        project.Replace("RefreshPages.cs", "Version = \"v1\"", "Version = \"v2\"");

        await Expect(page.Locator("main")).ToHaveTextAsync("v2");
    }

    private static Dictionary<string, string> AtAFixedPort() => new()
    {
        ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ServerProgram.FreePort()}"),
    };

    private async Task<ReloadableApp> StartAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var app = ReloadableApp.Launch(project, environment, [ReloadableProject.Dotnet, "exec", project.AssemblyPath, .. arguments]);
        await app.WaitUntilListeningAsync();
        await app.WaitUntilReadyAsync();
        return app;
    }

    private async Task<IPage> OpenAsync(ReloadableApp app, string path)
    {
        SetDefaultExpectTimeout((float)ConsoleLines.Timeout.TotalMilliseconds);
        var page = await chromium.OpenAsync();
        await page.RunAndWaitForResponseAsync(() => page.GotoAsync(new Uri(app.Address, path).ToString()), "**/_dev/events*");
        return page;
    }
}
