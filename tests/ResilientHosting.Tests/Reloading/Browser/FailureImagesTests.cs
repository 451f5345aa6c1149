using Microsoft.Playwright;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>Draws the overlay and the error page for the documentation.</summary>
public sealed class FailureImagesTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Program = """
        using Shop;

        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddDevReloader();
        builder.Services.AddSingleton<Orders>();

        var app = builder.Build();
        app.UseDevReloader();

        app.MapGet("/orders", (Orders orders) => orders.Recent(take: 20))
        app.MapGet("/orders/{id}", (int id, Orders orders) =>
        {
        	// Tabs, as some of us write them.
        	var order = orders.Find(identifier);
        	return order is null ? Results.NotFound() : Results.Ok(order);
        });
        app.Run();
        """;

    private const string Orders = """
        namespace Shop;

        public sealed class Orders
        {
            private readonly string _connection;

            public Orders(IConfiguration configuration) => _connection = configuration.GetConnectionString("Orders")
                ?? throw new InvalidOperationException("The connection string 'Orders' is missing.");

            public Order? Find(int id) => Query("where id = @id", id).FirstOrDefault();
        }
        """;

    [Fact]
    public async Task OverlayAndErrorPage_AreDrawn()
    {
        using var folder = new TemporaryFolder();
        var program = folder.Write("Program.cs", Program);
        var reader = SomeFailure.ReaderOf(folder.Path);
        var errors = reader.Read("The latest edit has 2 errors.", [
            new BuildDiagnostic("CS1002", true, program, 10, 66, "; expected"),
            new BuildDiagnostic("CS0103", true, program, 14, 26, "The name 'identifier' does not exist in the current context"),
        ]);
        foreach (var (scheme, name) in ((ColorScheme, string)[])[(ColorScheme.Light, "overlay-light.png"), (ColorScheme.Dark, "overlay-dark.png")])
        {
            var page = await chromium.OpenStrictPageAsync(scheme);
            await page.ShowAsync(errors);
            await DrawAsync(page, name);
        }

        var orders = folder.Write("Orders.cs", Orders);
        var thrown = reader.Read("The latest edit does not start, nor does the last good version.", new FakeException(
            "The connection string 'Orders' is missing.",
            $"""
               at Shop.Orders..ctor(IConfiguration configuration) in {orders}:line 8
               at System.RuntimeMethodHandle.InvokeMethod(ObjectHandleOnStack target, Void** arguments)
               at Microsoft.Extensions.DependencyInjection.ServiceLookup.CallSiteRuntimeResolver.VisitRootCache(ServiceCallSite callSite)
               at Program.<Main>$(String[] args) in {program}:line 7
            """));
        thrown = thrown with { Exception = thrown.Exception! with { Type = "System.InvalidOperationException" } };
        await DrawAsync(await chromium.OpenErrorPageAsync(new ReloadMoment(1, 3, 4, ReloadPhase.Watching, false, thrown, default)), "error-page.png");

        Task DrawAsync(IPage page, string name) => page.ScreenshotAsync(new() { Path = DocumentationImages.PathOf(name), Animations = ScreenshotAnimations.Disabled });
    }
}
