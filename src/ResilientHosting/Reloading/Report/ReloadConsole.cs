using System.Diagnostics.CodeAnalysis;

namespace ResilientHosting.Reloading;

/// <summary>
/// What the developer reads while working: one short line for each thing that happened, plain text, on standard output. Not a log:
/// loggers belong to a generation and come and go with it.
/// </summary>
internal sealed class ReloadConsole(TextWriter output)
{
    private const int MaxWaiting = 1_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly Queue<string> _waiting = new();
    private bool _writing;

    public static ReloadConsole Standard => new(StandardOutput.IsGiven ? Console.Out : TextWriter.Null);

    public void Say(string line) => Write("dev reloader: " + line);

    public void Show(BuildDiagnostic diagnostic) => Write(diagnostic.ToString());

    public void Show(Exception exception) => Write(ThrownException.TextOf(exception));

    /// <summary>Returns when the text is written. If nobody takes it (a pager, a terminal that was stopped with Ctrl+S), it goes on waiting alone.</summary>
    private void Write(string text)
    {
        lock (_waiting)
        {
            if (_waiting.Count == MaxWaiting)
            {
                _waiting.Dequeue();
            }

            _waiting.Enqueue(text);
            if (_writing)
            {
                return;
            }

            _writing = true;
        }

        // Lines are rare: a thread for each is cheaper than one that waits for them all day.
        var writer = new Thread(WriteAll) { Name = "dev reloader (console)", IsBackground = true };
        writer.UnsafeStart();
        writer.Join(Patience);
    }

    private void WriteAll()
    {
        while (TryTake(out var text))
        {
            try
            {
                output.WriteLine(text);
                output.Flush();
            }
#pragma warning disable CA1031 // The application may have put a writer of its own in the console's place, and that may throw anything.
            catch (Exception)
#pragma warning restore CA1031
            {
                // Nobody reads any more (a closed pipe, a terminal that hung up): no reason to stop serving.
            }
        }
    }

    private bool TryTake([MaybeNullWhen(false)] out string text)
    {
        lock (_waiting)
        {
            return _writing = _waiting.TryDequeue(out text);
        }
    }
}
