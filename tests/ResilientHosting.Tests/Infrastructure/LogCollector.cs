using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>One log line as a test sees it.</summary>
public sealed record LogLine(LogLevel Level, string Category, EventId Event, string Message, Exception? Exception)
{
    public override string ToString() => $"[{Level}] {Category}[{Event.Id} {Event.Name}] {Message} {Exception}";
}

/// <summary>
/// Collects every log line of a host. <see cref="AssertQuiet"/> fails a test on any line at Warning or above that was not
/// announced with <see cref="Expect"/>; every test host calls it when it is disposed.
/// </summary>
public sealed class LogCollector : ILoggerProvider
{
    // On a machine that has no keys yet, whoever needs one first is warned of how it is kept.
    private const string KeptKeys = "Microsoft.AspNetCore.DataProtection";

    private readonly ConcurrentQueue<LogLine> _lines = new();
    private readonly ConcurrentBag<string> _expected = [];

    public IReadOnlyCollection<LogLine> Lines => _lines;

    public IEnumerable<LogLine> Problems => _lines.Where(line =>
        line.Level >= LogLevel.Warning && !line.Category.StartsWith(KeptKeys, StringComparison.Ordinal));

    /// <summary>Allows lines at Warning or above that carry this event name.</summary>
    public LogCollector Expect(string eventName)
    {
        _expected.Add(eventName);
        return this;
    }

    public LogLine Only(string eventName) => Assert.Single(_lines, line => line.Event.Name == eventName);

    public void AssertQuiet()
    {
        var unexpected = Problems.Where(line => !_expected.Contains(line.Event.Name ?? "")).ToList();
        Assert.True(unexpected.Count == 0, "Unexpected log lines:\n" + string.Join("\n", unexpected.Take(10)));
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        // The lines outlive the host on purpose: they are asserted after it has stopped.
    }

    private sealed class Logger(LogCollector collector, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            collector._lines.Enqueue(new LogLine(logLevel, category, eventId, formatter(state, exception), exception));
    }
}
