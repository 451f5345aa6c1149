namespace ResilientHosting.AbortStorms;

/// <summary>
/// Counts what a Python server reports as an error. A traceback counts once: not its heading again, nor the exceptions that led to it.
/// </summary>
internal sealed class ErrorReports
{
    private const string Traceback = "Traceback (most recent call last)";

    private int _count;
    private bool _hasHeading;
    private bool _isLedTo;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes the next line. Two threads read, one for each stream, and only one stream has errors.</summary>
    public void Read(string line)
    {
        if (line.Contains("another exception occurred", StringComparison.Ordinal)
            || line.Contains("direct cause of the following", StringComparison.Ordinal))
        {
            _isLedTo = true;
        }
        else if (line.StartsWith(Traceback, StringComparison.Ordinal))
        {
            if (!_hasHeading && !_isLedTo)
            {
                Interlocked.Increment(ref _count);
            }

            (_hasHeading, _isLedTo) = (false, false);
        }
        else if (line.Contains("[ERROR]", StringComparison.Ordinal) || line.Contains("[CRITICAL]", StringComparison.Ordinal))
        {
            _hasHeading = true;
            Interlocked.Increment(ref _count);
        }
    }
}
