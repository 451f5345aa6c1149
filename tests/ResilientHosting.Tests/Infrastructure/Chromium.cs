using Microsoft.Playwright;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>A headless Chromium of this machine, for tests of what people see. Each test opens its pages in a context of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        @"C:\Program Files\Google\Chrome\Application\chrome.exe", @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public IBrowser Browser
    {
        get
        {
            RequiredServers.Require(_browser is not null, "Chromium", "chromium");
            return _browser!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Array.Find(Places, File.Exists) is not { } program)
        {
            return;
        }

        _playwright = await Playwright.CreateAsync();

        // Root has no sandbox to give, and containers have little shared memory.
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = program,
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>Opens a page. A server's own encryption key is taken as it is.</summary>
    public async Task<IPage> OpenAsync(string? address = null, ColorScheme scheme = ColorScheme.Light)
    {
        var context = await Browser.NewContextAsync(new() { ColorScheme = scheme, IgnoreHTTPSErrors = true });
        context.SetDefaultTimeout((float)ConsoleLines.Timeout.TotalMilliseconds);
        var page = await context.NewPageAsync();
        if (address is not null)
        {
            await page.GotoAsync(address);
        }

        return page;
    }
}
