using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// An application's pipeline without its server: the host's contexts, the startup filters, one endpoint, and completion
/// callbacks, with which the service scope of a request ends too.
/// </summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly DefaultHttpContextFactory _contexts;
    private readonly RequestDelegate _application;
    private readonly HttpRequestFeature _request = new();
    private readonly CompletionFeature _response = new();
    private readonly Action<IFeatureCollection>? _addFeatures;

    public Pipeline(
        Action<IServiceCollection> configure,
        RequestDelegate endpoint,
        Action<IApplicationBuilder>? use = null,
        Action<IFeatureCollection>? addFeatures = null)
    {
        _addFeatures = addFeatures;
        var services = new ServiceCollection();
        services.AddOptions();
        configure(services);
        _services = services.BuildServiceProvider();
        _contexts = new DefaultHttpContextFactory(_services);

        Action<IApplicationBuilder> build = app =>
        {
            use?.Invoke(app);
            app.Run(endpoint);
        };
        foreach (var filter in _services.GetServices<IStartupFilter>().Reverse())
        {
            build = filter.Configure(build);
        }

        var builder = new ApplicationBuilder(_services);
        build(builder);
        _application = builder.Build();
    }

    /// <summary>One request as the host runs it, from the making of its context to its last completion callback.</summary>
    public async Task SendAsync()
    {
        // Room enough: a server's own collection does not grow either.
        var features = new FeatureCollection(initialCapacity: 16);
        features.Set<IHttpRequestFeature>(_request);
        features.Set<IHttpResponseFeature>(_response);
        _addFeatures?.Invoke(features);
        var context = _contexts.Create(features);
        await _application(context);
        await _response.CompleteAsync();
        _contexts.Dispose(context);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    /// <summary>Runs callbacks last in, first out, as Kestrel does.</summary>
    private sealed class CompletionFeature : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _callbacks = new();

        public override void OnCompleted(Func<object, Task> callback, object state) => _callbacks.Push((callback, state));

        public async ValueTask CompleteAsync()
        {
            while (_callbacks.TryPop(out var completed))
            {
                await completed.Callback(completed.State);
            }
        }
    }
}
