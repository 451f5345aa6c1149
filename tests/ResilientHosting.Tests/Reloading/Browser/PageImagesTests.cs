using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Draws the page for the documentation.</summary>
[Collection(nameof(BrowserProcesses))]
public sealed class PageImagesTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Theory]
    [InlineData("dev-page-light.png", ColorScheme.Light)]
    [InlineData("dev-page-dark.png", ColorScheme.Dark)]
    public async Task Page_OfAWorkingDay_IsDrawn(string file, ColorScheme scheme)
    {
        var status = new ReloadStatus(new Earlier(TimeSpan.FromSeconds(22)));
        status.Change(now => now with { Generation = 8, Attempt = 9, Phase = ReloadPhase.Watching });
        await using var served = await ServedEndpoints.StartAsync(status, new FakeReloader { History = History() }, Live);
        var page = await chromium.OpenAsync(scheme: scheme);
        await page.SetViewportSizeAsync(1200, 860);

        await page.GotoAsync(new Uri(served.Address, "/_dev").ToString());
        await page.GetByText("3 of 16 in use").WaitForAsync();

        await page.ScreenshotAsync(new() { Path = DocumentationImages.PathOf(file), FullPage = true });
        await page.Context.CloseAsync();
    }

    private static LiveData Live() => new(
        "Shop",
        true,
        TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(96),
        [
            new WatchedRoot("/home/ada/shop/src/Shop", 9, "ext4", null),
            new WatchedRoot("/home/ada/shop/src/Shop.Data", 1, "ext4", null),
            new WatchedRoot("/mnt/shared/Templates", 2, "cifs", "its file system (cifs) doesn't tell of changes made elsewhere"),
        ],
        [Retired()],
        [new PoolUse("Npgsql.NpgsqlConnection", 8, 3, 5, 0, 16), new PoolUse("reports", 8, 2, 0, 4, 2)],
        new AbortCounts(
            new Dictionary<string, long> { ["client"] = 6, ["client_stream_reset"] = 2, ["request_timeout"] = 1 },
            [
                Abort(410, "request_timeout", "compute", "cancelled", "/reports/{year}"),
                Abort(95, "client_stream_reset", "streaming", "cancelled", "/feed"),
                Abort(12, "client", "response_body", "completed", "/orders/{id}/pay"),
            ]));

    private static RetiredGeneration Retired() => new(5, System.Runtime.Loader.AssemblyLoadContext.Default)
    {
        State = RetiredState.Held,
        Causes = [new LeakCause("event AppDomain.ProcessExit: a lambda in Program.<Main>$", "unsubscribe when the host stops, or use IHostApplicationLifetime")],
    };

    private static SeenAbort Abort(int secondsAgo, string cause, string phase, string outcome, string route) =>
        new(TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(secondsAgo), cause, phase, outcome, route);

    private static ReloadRecord[] History() =>
    [
        Reload(2, 61, "appsettings.json", [14, 0, 6, 31], 0),
        Reload(3, 52, "Shop.csproj", [12, 1460, 7, 38], 2),
        Reload(4, 41, "Orders/OrderEndpoints.cs", [10, 17, 6, 23], 1),
        Reload(4, 33, "Payments/Payment.cs", [11, 16, 0, 0], 0, errors: ["/home/ada/shop/src/Shop/Payments/Payment.cs(41,23): error CS1002: ; expected"]),
        Reload(5, 32, "Payments/Payment.cs", [10, 18, 6, 25], 3),
        Reload(6, 20, "Views/Home/Index.cshtml", [12, 48, 7, 41], 4),
        Reload(7, 9, "Orders/Order.cs and 11 more", [38, 66, 52, 44], 11, cut: ["GET /feed (event stream)", "GET /feed (event stream)"]),
        Reload(8, 0, "Program.cs", [10, 18, 5, 22], 2),
    ];

    private static ReloadRecord Reload(int generation, int minutesAgo, string reason, int[] stages, int held, string[]? cut = null, string[]? errors = null)
    {
        var times = Array.ConvertAll(stages, stage => TimeSpan.FromMilliseconds(stage));
        return new ReloadRecord(
            generation, reason, errors is null, times[1], times[2], times[3], times.Aggregate(TimeSpan.Zero, (sum, time) => sum + time), held, cut ?? [], errors ?? [])
        {
            Time = TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(minutesAgo) - TimeSpan.FromSeconds(22),
        };
    }

    private sealed class Earlier(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - by;
    }
}
