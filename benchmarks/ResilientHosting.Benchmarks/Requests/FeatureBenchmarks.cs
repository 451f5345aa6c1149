using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using ResilientHosting.Benchmarks.Features;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// What each feature costs a request that does not use it, in Production. Every row is a whole request without a server, at an endpoint that
/// does nothing.
/// </summary>
[MemoryDiagnoser]
public class FeatureBenchmarks
{
    private readonly Pipeline _none = Create(Feature.None);
    private readonly Pipeline _resources = Create(Feature.Resources);
    private readonly Pipeline _tolerance = Create(Feature.Tolerance);
    private readonly Pipeline _reloader = Create(Feature.Reloader);
    private readonly Pipeline _all = Create(Feature.All);

    [GlobalCleanup]
    public async Task StopAsync()
    {
        foreach (var pipeline in (Pipeline[])[_none, _resources, _tolerance, _reloader, _all])
        {
            await pipeline.DisposeAsync();
        }
    }

    [Benchmark(Baseline = true)]
    public Task None() => _none.SendAsync();

    [Benchmark]
    public Task Resources() => _resources.SendAsync();

    [Benchmark]
    public Task Tolerance() => _tolerance.SendAsync();

    [Benchmark]
    public Task Reloader() => _reloader.SendAsync();

    [Benchmark]
    public Task All() => _all.SendAsync();

    private static Pipeline Create(Feature features) => new(
        services =>
        {
            services.AddLogging().AddMetrics();
            var production = new Production();
            services.AddSingleton<IWebHostEnvironment>(production).AddSingleton<IHostEnvironment>(production);
            features.AddTo(services);
        },
        _ => Task.CompletedTask,
        app => features.Use(app),
        new ConnectionFeatures(body: null).AddTo);

    private sealed class Production : IWebHostEnvironment
    {
        public string EnvironmentName { get; set; } = Environments.Production;

        public string ApplicationName { get; set; } = nameof(FeatureBenchmarks);

        public string ContentRootPath { get; set; } = AppContext.BaseDirectory;

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();

        public string WebRootPath { get; set; } = AppContext.BaseDirectory;

        public IFileProvider WebRootFileProvider { get; set; } = new NullFileProvider();
    }
}
