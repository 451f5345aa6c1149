using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Razor.Hosting;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;
using ResilientHosting.Tests.Resources;

// What the Razor compiler would say of a page: the test project is not a Razor project, and one page needs no compiler.
[assembly: RazorCompiledItem(typeof(LedgerPage), "mvc.1.0.razor-page", "/Pages/LedgerPage.cshtml")]

namespace ResilientHosting.Tests.Resources;

/// <summary>Razor Pages: resources that end with the page's handler, before the page is rendered.</summary>
public sealed class RazorPagesTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    [Theory, MemberData(nameof(Servers))]
    public async Task PageHandler_Returns_ResourceEndsBeforeThePageIsRendered(Server server)
    {
        await using var host = await StartAsync(server);

        Assert.Equal("<p>+Alpha handled -Alpha</p>", await host.Client.GetStringAsync("/LedgerPage", TestContext.Current.CancellationToken));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, false), (outcome.Kind, outcome.ResponseStarted));
    }

    [Fact]
    public async Task PageHandler_Throws_ResourceEndsAsFaulted()
    {
        await using var host = await StartAsync(Server.TestServer);

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => host.Client.GetStringAsync("/LedgerPage?handler=Failing", TestContext.Current.CancellationToken));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, thrown), (outcome.Kind, outcome.Exception));
    }

    public ValueTask DisposeAsync()
    {
        _ledger.AssertBalanced();
        return default;
    }

    private Task<ResourceTestHost> StartAsync(Server server) => ResourceTestHost.StartAsync(
        server,
        services =>
        {
            services.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown).ReleaseAfterHandler();
            services.AddSingleton(_ledger);
            services.AddRazorPages().ConfigureApplicationPartManager(parts =>
                parts.ApplicationParts.Add(new CompiledRazorAssemblyPart(typeof(LedgerPage).Assembly)));
        },
        app => app.MapRazorPages());
}

public sealed class LedgerPage : Page
{
    /// <summary>Its type is what makes the model the page's.</summary>
    public LedgerPageModel Model => (LedgerPageModel)PageContext.ViewData.Model!;

    public override Task ExecuteAsync()
    {
        WriteLiteral($"<p>{string.Join(' ', Model.Ledger.Events)}</p>");
        return Task.CompletedTask;
    }
}

public sealed class LedgerPageModel(Ledger ledger, IRequestResource<Alpha> alpha) : PageModel
{
    public Ledger Ledger { get; } = ledger;

    public async Task OnGetAsync()
    {
        await alpha.GetAsync(HttpContext.RequestAborted);
        Ledger.Events.Enqueue("handled");
    }

    public async Task OnGetFailingAsync()
    {
        await alpha.GetAsync(HttpContext.RequestAborted);
        throw new InvalidOperationException("page");
    }
}
