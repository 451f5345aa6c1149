namespace ResilientHosting.Reloading;

/// <summary>
/// What the developer reads while working: one short line for each thing that happened, plain text, on standard output. Not a log:
/// loggers belong to a generation and come and go with it.
/// </summary>
internal sealed class ReloadConsole(TextWriter output)
{
    public static ReloadConsole Standard => new(Console.Out);

    public void Say(string line) => Write("dev reloader: " + line);

    public void Show(BuildDiagnostic diagnostic) => Write(diagnostic.ToString());

    public void Show(Exception exception) => Write(exception.ToString());

    private void Write(string line)
    {
        try
        {
            output.WriteLine(line);
            output.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Nobody reads any more (a closed pipe, a terminal that hung up): no reason to stop serving.
        }
    }
}
