using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Benchmarks;

/// <summary>What a resource costs a request. Every row is a whole request without a server; the differences between rows are the costs.</summary>
[MemoryDiagnoser]
public class ResourceBenchmarks
{
    private readonly Pipeline _endpoint = new(_ => { }, _ => Task.CompletedTask);
    private readonly Pipeline _scopedService = new(services => services.AddScoped<Item>(), UseScopedService);
    private readonly Pipeline _unused = new(services => services.AddRequestScopedResource(Create), _ => Task.CompletedTask);
    private readonly Pipeline _perRequest = new(services => services.AddRequestScopedResource(Create), UseResourceAsync);
    private readonly Pipeline _pooled = new(services => services.AddRequestScopedResource(Create).UsePool(), UseResourceAsync);

    [GlobalCleanup]
    public async Task StopAsync()
    {
        foreach (var pipeline in (Pipeline[])[_endpoint, _scopedService, _unused, _perRequest, _pooled])
        {
            await pipeline.DisposeAsync();
        }
    }

    [Benchmark(Baseline = true)]
    public Task Endpoint() => _endpoint.SendAsync();

    [Benchmark]
    public Task ScopedService() => _scopedService.SendAsync();

    [Benchmark]
    public Task UnusedResource() => _unused.SendAsync();

    [Benchmark]
    public Task FirstGet() => _perRequest.SendAsync();

    [Benchmark]
    public Task FirstGetPooled() => _pooled.SendAsync();

    private static ValueTask<Item> Create(ResourceContext context, CancellationToken token) => new(new Item());

    private static Task UseScopedService(HttpContext context)
    {
        context.RequestServices.GetRequiredService<Item>();
        return Task.CompletedTask;
    }

    private static async Task UseResourceAsync(HttpContext context) =>
        await context.RequestServices.GetRequiredService<IRequestResource<Item>>().GetAsync(context.RequestAborted);

    private sealed class Item;
}
