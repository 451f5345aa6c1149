using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Aborts;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// What client-abort tolerance costs a request that is not aborted. Every row is a whole request without a server; plain ASP.NET Core
/// is the base line of each kind of request.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class ToleranceBenchmarks
{
    private readonly Pipeline _plain = Plain(_ => Task.CompletedTask);
    private readonly Pipeline _tolerant = Tolerant(_ => Task.CompletedTask);
    private readonly Pipeline _plainToken = Plain(UseToken);
    private readonly Pipeline _tolerantToken = Tolerant(UseToken);
    private readonly Pipeline _completingToken = Tolerant(UseToken, policy: ClientAbortBehavior.RunToCompletion);
    private readonly Pipeline _plainBody = Plain(ReadBodyAsync, new byte[1024]);
    private readonly Pipeline _tolerantBody = Tolerant(ReadBodyAsync, new byte[1024]);
    private readonly Pipeline _completingBody = Tolerant(ReadBodyAsync, new byte[1024], ClientAbortBehavior.RunToCompletion);

    [GlobalCleanup]
    public async Task StopAsync()
    {
        foreach (var pipeline in (Pipeline[])
            [_plain, _tolerant, _plainToken, _tolerantToken, _completingToken, _plainBody, _tolerantBody, _completingBody])
        {
            await pipeline.DisposeAsync();
        }
    }

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("no token, no body")]
    public Task Plain() => _plain.SendAsync();

    [Benchmark]
    [BenchmarkCategory("no token, no body")]
    public Task Tolerant() => _tolerant.SendAsync();

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("token used")]
    public Task PlainToken() => _plainToken.SendAsync();

    [Benchmark]
    [BenchmarkCategory("token used")]
    public Task TolerantToken() => _tolerantToken.SendAsync();

    [Benchmark]
    [BenchmarkCategory("token used")]
    public Task CompletingToken() => _completingToken.SendAsync();

    [Benchmark(Baseline = true)]
    [BenchmarkCategory("body of 1 KB read")]
    public Task PlainBody() => _plainBody.SendAsync();

    [Benchmark]
    [BenchmarkCategory("body of 1 KB read")]
    public Task TolerantBody() => _tolerantBody.SendAsync();

    [Benchmark]
    [BenchmarkCategory("body of 1 KB read")]
    public Task CompletingBody() => _completingBody.SendAsync();

    private static Pipeline Plain(RequestDelegate handler, byte[]? body = null) =>
        Create(app => { }, handler, ClientAbortBehavior.Cancel, body);

    private static Pipeline Tolerant(
        RequestDelegate handler, byte[]? body = null, ClientAbortBehavior policy = ClientAbortBehavior.Cancel) =>
        Create(app => app.UseClientAbortTolerance(), handler, policy, body);

    // An endpoint is chosen first and run last, as routing does.
    private static Pipeline Create(Action<IApplicationBuilder> use, RequestDelegate handler, ClientAbortBehavior policy, byte[]? body)
    {
        var endpoint = new Endpoint(handler, new EndpointMetadataCollection(new ClientAbortAttribute(policy)), "measured");
        return new Pipeline(
            AddServices,
            context => context.GetEndpoint()!.RequestDelegate!(context),
            app =>
            {
                app.Use(next => context =>
                {
                    context.SetEndpoint(endpoint);
                    return next(context);
                });
                use(app);
            },
            new ConnectionFeatures(body).AddTo);
    }

    private static void AddServices(IServiceCollection services) => services.AddLogging().AddMetrics();

    // As whatever waits for the client does: a command, a call to another service.
    private static Task UseToken(HttpContext context)
    {
        using var registration = context.RequestAborted.UnsafeRegister(static _ => { }, null);
        return Task.CompletedTask;
    }

    private static async Task ReadBodyAsync(HttpContext context)
    {
        var buffer = new byte[256];
        while (await context.Request.Body.ReadAsync(buffer) > 0)
        {
            // Only the reading is measured.
        }
    }
}
