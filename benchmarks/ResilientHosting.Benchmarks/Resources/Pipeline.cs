using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHosting.Benchmarks;

/// <summary>
/// An application's pipeline without its server: startup filters, one endpoint, a service scope and completion callbacks for each request.
/// </summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IServiceScopeFactory _scopes;
    private readonly RequestDelegate _application;
    private readonly DefaultHttpContext _context = new();
    private readonly FeatureCollection _features = new();
    private readonly CompletionFeature _response = new();

    public Pipeline(Action<IServiceCollection> configure, RequestDelegate endpoint)
    {
        var services = new ServiceCollection();
        configure(services);
        _services = services.BuildServiceProvider();
        _scopes = _services.GetRequiredService<IServiceScopeFactory>();

        Action<IApplicationBuilder> build = app => app.Run(endpoint);
        foreach (var filter in _services.GetServices<IStartupFilter>().Reverse())
        {
            build = filter.Configure(build);
        }

        var builder = new ApplicationBuilder(_services);
        build(builder);
        _application = builder.Build();
    }

    /// <summary>One request, from its first middleware to its last completion callback and the end of its service scope.</summary>
    public async Task SendAsync()
    {
        _features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        _features.Set<IHttpResponseFeature>(_response);
        _context.Initialize(_features);
        var scope = new RequestServicesFeature(_context, _scopes);
        _features.Set<IServiceProvidersFeature>(scope);

        await _application(_context);
        await _response.CompleteAsync();
        await scope.DisposeAsync();
        _context.Uninitialize();
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
