namespace ResilientHosting.Reloading;

/// <summary>A file whose touch asks for a reload, by whoever can write it: a script, another container, a tool without HTTP.</summary>
internal sealed class TriggerFile
{
    private readonly string _path;
    private DateTime _touched;

    public TriggerFile(string path)
    {
        _path = path;
        _touched = LastTouch();
    }

    public string Directory => Path.GetDirectoryName(_path)!;

    public string Name => Path.GetFileName(_path);

    /// <summary>Whether the file was touched or created since the last call. That it is removed asks for nothing.</summary>
    public bool WasTouched()
    {
        var (before, now) = (_touched, LastTouch());
        _touched = now;
        return now != before && File.Exists(_path);
    }

    private DateTime LastTouch() => File.GetLastWriteTimeUtc(_path);
}
