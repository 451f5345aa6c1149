namespace ResilientHosting.Reloading;

/// <summary>Each reload as a line of JSON at the end of a file, for tools that would rather read than ask.</summary>
internal sealed class EventFile(string path, ReloadConsole console)
{
    private bool _failed;

    public void Append(ReloadRecord record)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            file.Write(StatusJson.WriteLine(record));
            _failed = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_failed)
            {
                _failed = true;
                console.Say($"reloads are not written to {path}: {e.Message}");
            }
        }
    }
}
