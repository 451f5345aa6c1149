using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Tests.Resources;

/// <summary>Controllers: resources that end with the action, before its result executes.</summary>
public sealed class MvcTests : IAsyncDisposable
{
    private readonly Ledger _ledger = new();
    private ResourceTestHost? _host;

    public static TheoryData<Server> Servers => [Server.Kestrel, Server.TestServer];

    private static CancellationToken Test => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Servers))]
    public async Task Action_Returns_ResourceEndsAfterAllFiltersAndBeforeTheResult(Server server)
    {
        await StartAsync(server);

        Assert.Equal("+Alpha filtered -Alpha", await GetAsync("/mvc/value"));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 200, false), (outcome.Kind, outcome.StatusCode, outcome.ResponseStarted));
    }

    [Fact]
    public async Task Action_ReturnsAServerError_DoesNotCommit()
    {
        await StartAsync(Server.Kestrel);

        using var response = await _host!.Client.GetAsync("/mvc/unavailable", Test);

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Succeeded, 503, false), (outcome.Kind, outcome.StatusCode, outcome.ShouldCommit));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task Action_ThrowsAndAnExceptionFilterAnswers_TheActionHasFaulted(Server server)
    {
        await StartAsync(server);

        Assert.Equal("+Alpha -Alpha", await GetAsync("/mvc/throw"));

        var outcome = await _ledger.NextOutcomeAsync();
        Assert.Equal((ScopeOutcomeKind.Faulted, false), (outcome.Kind, outcome.ShouldCommit));
        Assert.Equal("action", outcome.Exception!.Message);
    }

    [Fact]
    public async Task Teardown_Fails_IsTheRequestsException()
    {
        Exception? thrown = null;
        await StartAsync(
            Server.Kestrel,
            app => app.Use(async (context, next) =>
            {
                thrown = await Record.ExceptionAsync(() => next(context));
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            }),
            services => services
                .AddRequestScopedResource<Gamma>((_, _) => new(new Gamma()), (_, _) => throw new NotSupportedException("no commit"))
                .ReleaseAfterHandler());

        using var response = await _host!.Client.GetAsync("/mvc/failing", Test);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("no commit", Assert.IsType<NotSupportedException>(thrown).Message);
    }

    [Theory]
    [InlineData("/mvc/stream")]
    [InlineData("/mvc/file")]
    public async Task StreamedResult_KeepsTheResourceUntilItsEnd(string path)
    {
        await StartAsync(Server.Kestrel);

        await _host!.Client.GetStringAsync(path, Test);

        Assert.True((await _ledger.NextOutcomeAsync()).ResponseStarted);
        _host.Logs.Only("ReleasePromoted");
    }

    [Fact]
    public async Task Controllers_ReleaseResourcesAfterHandler_AllOfThem()
    {
        _host = await ResourceTestHost.StartAsync(
            Server.Kestrel,
            services =>
            {
                services.AddTracked<Alpha>(_ledger).AddSingleton(_ledger);
                services.AddControllers().AddApplicationPart(typeof(MvcTests).Assembly);
            },
            app => app.MapControllers().ReleaseResourcesAfterHandler());

        Assert.Equal("+Alpha filtered -Alpha", await GetAsync("/mvc/value"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        _ledger.AssertBalanced();
    }

    private async Task<string> GetAsync(string path) =>
        (await _host!.Client.GetFromJsonAsync<Dictionary<string, string>>(path, Test))!["events"];

    private async Task StartAsync(Server server, Action<WebApplication>? app = null, Action<IServiceCollection>? services = null) =>
        _host = await ResourceTestHost.StartAsync(
            server,
            collection =>
            {
                collection.AddRequestScopedResource<Alpha>((_, _) => new(_ledger.Create<Alpha>()), _ledger.TearDown).ReleaseAfterHandler();
                collection.AddSingleton(_ledger);
                collection.AddControllers().AddApplicationPart(typeof(MvcTests).Assembly);
                services?.Invoke(collection);
            },
            application =>
            {
                app?.Invoke(application);
                application.MapControllers();
            });
}

/// <summary>A result that says what had happened when it was written.</summary>
public sealed class LedgerAnswer(Ledger ledger)
{
    public string Events => string.Join(' ', ledger.Events);
}

[ApiController, Route("mvc"), MvcAnswer]
public sealed class MvcController(Ledger ledger, IServiceProvider services) : ControllerBase
{
    [HttpGet("value"), MvcRecord]
    public async Task<LedgerAnswer> ValueAsync()
    {
        await GetAsync<Alpha>();
        return new LedgerAnswer(ledger);
    }

    [HttpGet("unavailable")]
    public async Task<IActionResult> UnavailableAsync()
    {
        await GetAsync<Alpha>();
        return StatusCode(StatusCodes.Status503ServiceUnavailable);
    }

    [HttpGet("throw")]
    public async Task<LedgerAnswer> ThrowAsync()
    {
        await GetAsync<Alpha>();
        throw new InvalidOperationException("action");
    }

    [HttpGet("failing")]
    public async Task<LedgerAnswer> FailingAsync()
    {
        await GetAsync<Gamma>();
        return new LedgerAnswer(ledger);
    }

    [HttpGet("stream")]
    public async IAsyncEnumerable<int> StreamAsync()
    {
        var alpha = await GetAsync<Alpha>();
        yield return alpha.Teardowns;
    }

    [HttpGet("file")]
    public async Task<IActionResult> FileAsync()
    {
        await GetAsync<Alpha>();
        return File(new MemoryStream([1, 2]), "application/octet-stream");
    }

    private ValueTask<T> GetAsync<T>()
        where T : class => services.GetRequiredService<IRequestResource<T>>().GetAsync(HttpContext.RequestAborted);
}

/// <summary>The filter with the lowest order an application can give one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MvcRecordAttribute : ActionFilterAttribute
{
    public MvcRecordAttribute() => Order = int.MinValue;

    public override void OnActionExecuted(ActionExecutedContext context) =>
        context.HttpContext.RequestServices.GetRequiredService<Ledger>().Events.Enqueue("filtered");
}

/// <summary>Answers exceptions of the action.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MvcAnswerAttribute : ExceptionFilterAttribute
{
    public override void OnException(ExceptionContext context)
    {
        if (context.Exception.Message == "action")
        {
            context.Result = new OkObjectResult(new LedgerAnswer(context.HttpContext.RequestServices.GetRequiredService<Ledger>()));
        }
    }
}
