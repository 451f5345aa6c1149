using Microsoft.Extensions.Logging;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Tells a test when one of some log lines has been written, where nothing else shows that something is over.</summary>
public sealed class LogSignal(params string[] eventNames) : ILoggerProvider, ILogger
{
    private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task SeenAsync() => _seen.Task.WaitAsync(KestrelTestHost.Timeout);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventNames.Contains(eventId.Name))
        {
            _seen.TrySetResult();
        }
    }

    public void Dispose()
    {
        // Holds nothing; the host disposes of its providers.
    }
}
