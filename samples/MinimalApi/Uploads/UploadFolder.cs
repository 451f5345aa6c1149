using MinimalApi.Infrastructure;

namespace MinimalApi.Uploads;

internal sealed record StoredFile(string Name, long Bytes, DateTimeOffset StoredAt);

/// <summary>The files clients have sent. Those not complete yet live beside them.</summary>
internal sealed class UploadFolder(DataFolder data)
{
    private readonly DirectoryInfo _files = data.CreateSubfolder("uploads");
    private readonly DirectoryInfo _incoming = data.CreateSubfolder("incoming");

    public IReadOnlyList<StoredFile> List() =>
        [.. _files.EnumerateFiles()
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .Select(file => new StoredFile(file.Name, file.Length, file.LastWriteTimeUtc))];

    public FileStream CreateTemporary() => new(
        Path.Combine(_incoming.FullName, Guid.NewGuid().ToString("N")),
        FileMode.CreateNew,
        FileAccess.Write,
        FileShare.None,
        bufferSize: 0,
        FileOptions.Asynchronous);

    public void Keep(string temporaryPath, string name) =>
        File.Move(temporaryPath, Path.Combine(_files.FullName, name), overwrite: true);
}
