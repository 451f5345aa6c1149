using Microsoft.Extensions.Logging;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Policy.Adoption;

/// <summary>Counts log events by name, and lets a test wait for the n-th.</summary>
public sealed class EventCounter : ILoggerProvider, ILogger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = [];
    private readonly List<(string Name, int Count, TaskCompletionSource Reached)> _waiters = [];

    public Task SeenAsync(string name, int count = 1)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_counts.GetValueOrDefault(name) >= count)
            {
                return Task.CompletedTask;
            }

            _waiters.Add((name, count, reached));
        }

        return reached.Task.WaitAsync(KestrelTestHost.Timeout);
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name is not { } name)
        {
            return;
        }

        lock (_lock)
        {
            var count = _counts[name] = _counts.GetValueOrDefault(name) + 1;
            foreach (var waiter in _waiters.Where(waiter => waiter.Name == name && waiter.Count == count))
            {
                waiter.Reached.TrySetResult();
            }
        }
    }

    public void Dispose()
    {
        // Nothing is held but counts.
    }
}
