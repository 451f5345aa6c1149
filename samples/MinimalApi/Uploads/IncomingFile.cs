using MinimalApi.Activity;
using ResilientHosting.Resources;

namespace MinimalApi.Uploads;

/// <summary>
/// A file on its way in. It gets its name once it is complete and its request has succeeded; otherwise it is gone without a trace.
/// </summary>
internal sealed class IncomingFile(UploadFolder folder)
{
    private readonly FileStream _stream = folder.CreateTemporary();
    private string? _name;

    public long Length { get; private set; }

    public static ValueTask<IncomingFile> CreateAsync(ResourceContext request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new IncomingFile(request.Services.GetRequiredService<UploadFolder>()));

    public static async ValueTask EndAsync(IncomingFile file, TeardownContext end)
    {
        await file._stream.DisposeAsync();
        if (end.Outcome.ShouldCommit && file._name is { } name)
        {
            file.Folder.Keep(file._stream.Name, name);
            end.Record("upload", "kept");
        }
        else
        {
            File.Delete(file._stream.Name);
            end.Record("upload", "discarded");
        }
    }

    private UploadFolder Folder => folder;

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(part, cancellationToken);
        Length += part.Length;
    }

    /// <summary>Declares the file complete.</summary>
    public void CompleteAs(string name) => _name = name;
}
