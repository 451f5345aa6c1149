namespace ResilientHosting.Tests.Infrastructure;

/// <summary>A folder that is gone, with all that is in it, when the test has ended.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("test-");

    public string Path => _folder.FullName;

    public string PathOf(string file) => System.IO.Path.Combine(Path, file);

    /// <summary>Writes a file, with the folders it needs, and returns its full path.</summary>
    public string Write(string file, string content)
    {
        var path = PathOf(file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
