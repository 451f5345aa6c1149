using Microsoft.Extensions.Logging;

namespace ResilientHosting.AbortStorms;

/// <summary>Counts log lines. Each is put into words as for a console, with the stack, and goes nowhere.</summary>
internal sealed class LineCounter : ILoggerProvider
{
    private const int RequestFinished = 2;

    private int _problems;
    private int _finished;

    /// <summary>Gets the lines at Warning or above.</summary>
    public int Problems => _problems;

    /// <summary>Gets the lines that say how a request of an id ended.</summary>
    public int Finished => _finished;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        // Read after the host has stopped.
    }

    private sealed class Logger(LineCounter counter, string category) : ILogger
    {
        private readonly bool _isAccessLog = category == "Microsoft.AspNetCore.Hosting.Diagnostics";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = $"{logLevel} {category} {formatter(state, exception)} {exception}";
            if (logLevel >= LogLevel.Warning)
            {
                Interlocked.Increment(ref counter._problems);
            }

            if (_isAccessLog && eventId.Id == RequestFinished && line.Contains("?id=", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref counter._finished);
            }
        }
    }
}
