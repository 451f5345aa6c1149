using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using ResilientHosting.Resources;

namespace ResilientHosting.Benchmarks;

/// <summary>Asking again for what the scope already has, against asking the container again.</summary>
[MemoryDiagnoser]
public class RepeatedGetBenchmarks
{
    private readonly ServiceProvider _services;
    private readonly ResourceScope _scope;
    private readonly IRequestResource<Item> _resource;

    public RepeatedGetBenchmarks()
    {
        var services = new ServiceCollection();
        services.AddScoped<Peer>();
        services.AddRequestScopedResource((_, _) => new ValueTask<Item>(new Item()));
        _services = services.BuildServiceProvider();
        _scope = _services.CreateResourceScope("benchmark");
        _resource = _scope.Services.GetRequiredService<IRequestResource<Item>>();
    }

    [GlobalSetup]
    public async Task StartAsync() => await _resource.GetAsync();

    [GlobalCleanup]
    public async Task StopAsync()
    {
        await _scope.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Benchmark(Baseline = true)]
    public object RepeatedScopedService() => _scope.Services.GetRequiredService<Peer>();

    [Benchmark]
    public object RepeatedGet()
    {
        var got = _resource.GetAsync();
        return got.IsCompletedSuccessfully ? got.Result : throw new InvalidOperationException("A repeated GetAsync did not complete at once.");
    }

    private sealed class Item;

    private sealed class Peer;
}
