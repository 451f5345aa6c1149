namespace ResilientHosting.Tests.Infrastructure;

/// <summary>What a process has printed so far, line by line. Tests wait for a line to come, never for time to pass.</summary>
public sealed class ConsoleLines
{
    // Generous: a busy build machine takes its time to start a process. No test passes by waiting that long.
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = NewSignal();

    /// <summary>How many lines there are: a mark to wait or read from.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _lines.Count;
            }
        }
    }

    public void Add(string line)
    {
        lock (_lock)
        {
            _lines.Add(line);
            _more.TrySetResult();
            _more = NewSignal();
        }
    }

    public string[] Since(int mark)
    {
        lock (_lock)
        {
            return [.. _lines.Skip(mark)];
        }
    }

    /// <summary>Returns the first line from the mark on that contains the text, as soon as there is one.</summary>
    public Task<string> WaitForAsync(string text, int mark = 0) => WaitForAnyAsync([text], mark);

    /// <summary>Returns the first line from the mark on that contains one of the texts, as soon as there is one.</summary>
    public async Task<string> WaitForAnyAsync(string[] texts, int mark = 0)
    {
        using var limit = new CancellationTokenSource(Timeout);
        while (true)
        {
            Task more;
            lock (_lock)
            {
                if (_lines.Skip(mark).FirstOrDefault(line => Array.Exists(texts, text => line.Contains(text, StringComparison.Ordinal))) is { } line)
                {
                    return line;
                }

                more = _more.Task;
            }

            try
            {
                await more.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"No line contains \"{string.Join("\" or \"", texts)}\". The process printed:\n{this}");
            }
        }
    }

    public override string ToString() => string.Join('\n', Since(0));

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
