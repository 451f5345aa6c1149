using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Resources;

/// <summary>What all scopes of one host share.</summary>
internal sealed class ResourceEnvironment(
    IServiceProvider root,
    IOptions<RequestResourceOptions> options,
    ResourceMetrics metrics,
    TimeProvider time,
    IHttpContextAccessor httpContextAccessor,
    HeldResourceWatch watch,
    ILoggerFactory loggers)
{
    private readonly IHostApplicationLifetime? _lifetime = root.GetService<IHostApplicationLifetime>();

    public RequestResourceOptions Options { get; } = options.Value;

    public ResourceMetrics Metrics { get; } = metrics;

    public TimeProvider Time { get; } = time;

    public CoarseClock Clock { get; } = new(time);

    public ILogger Logger { get; } = loggers.CreateLogger("ResilientHosting.Resources");

    public LiveScopes LiveScopes { get; } = new(watch);

    public TeardownLane Lane { get; } = new(options.Value.MaxDetachedTeardowns);

    public bool IsDevelopment { get; } = root.GetService<IHostEnvironment>()?.IsDevelopment() ?? false;

    public HttpContext? HttpContext => httpContextAccessor.HttpContext;

    public bool IsHostStopping => _lifetime?.ApplicationStopping.IsCancellationRequested ?? false;

    /// <summary>Services that belong to no request.</summary>
    public AsyncServiceScope CreateServices() => root.CreateAsyncScope();

    /// <summary>Whether these are the services of the host itself, which no scope ever tears down.</summary>
    public bool IsRoot(IServiceProvider services) => ReferenceEquals(services, root);
}
