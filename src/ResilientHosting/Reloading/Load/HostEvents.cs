using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace ResilientHosting.Reloading;

/// <summary>Hears of the hosts that one run of the program builds, and of no other host in the process. Disposal ends that.</summary>
internal sealed class HostEvents : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    private readonly Generation? _run;
    private readonly Action<IHostBuilder> _building;
    private readonly Action<IHost> _built;
    private readonly IDisposable _listeners;
    private volatile bool _disposed;
    private IDisposable? _events;

    /// <param name="run">The run; null is the process's own start.</param>
    /// <param name="building">Called before each host is built; what it configures comes last.</param>
    /// <param name="built">Called after each host was built.</param>
    public HostEvents(Generation? run, Action<IHostBuilder> building, Action<IHost> built)
    {
        _run = run;
        _building = building;
        _built = built;
        _listeners = DiagnosticListener.AllListeners.Subscribe(this);
    }

    public void OnNext(DiagnosticListener value)
    {
        // Every host that is built has a listener of its own.
        if (value.Name == "Microsoft.Extensions.Hosting" && Generation.Current == _run && !_disposed)
        {
            _events?.Dispose();
            _events = value.Subscribe(this);
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (Generation.Current != _run || _disposed)
        {
            return;
        }

        if (value is { Key: "HostBuilding", Value: IHostBuilder builder })
        {
            _building(builder);
        }
        else if (value is { Key: "HostBuilt", Value: IHost host })
        {
            // A subscription left behind would keep the generation alive for ever.
            _events?.Dispose();
            _built(host);
        }
    }

    public void OnCompleted() => _events?.Dispose();

    public void OnError(Exception error) => _events?.Dispose();

    public void Dispose()
    {
        _disposed = true;
        _listeners.Dispose();
        _events?.Dispose();
    }
}
