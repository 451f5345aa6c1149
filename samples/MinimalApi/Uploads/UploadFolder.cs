using MinimalApi.Infrastructure;

namespace MinimalApi.Uploads;

internal sealed record StoredFile(string Name, long Bytes, DateTimeOffset StoredAt);

/// <summary>The files clients have sent. Half-received ones live beside them until they are complete.</summary>
internal sealed class UploadFolder(DataFolder data)
{
    private readonly DirectoryInfo _files = data.CreateSubfolder("uploads");
    private readonly DirectoryInfo _incoming = data.CreateSubfolder("incoming");

    public IReadOnlyList<StoredFile> List() =>
        [.. _files.EnumerateFiles()
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .Select(file => new StoredFile(file.Name, file.Length, file.LastWriteTimeUtc))];

    public IncomingFile Receive(string name) =>
        new(Path.Combine(_incoming.FullName, Guid.NewGuid().ToString("N")), Path.Combine(_files.FullName, name));
}
