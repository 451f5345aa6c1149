namespace MinimalApi.Uploads;

/// <summary>A file on its way in: kept under its name once it is complete, otherwise gone without a trace.</summary>
internal sealed class IncomingFile(string temporaryPath, string finalPath) : IAsyncDisposable
{
    private readonly FileStream _stream = new(
        temporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.Asynchronous);

    public long Length { get; private set; }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(part, cancellationToken);
        Length += part.Length;
    }

    public async Task KeepAsync()
    {
        await _stream.DisposeAsync();
        File.Move(temporaryPath, finalPath, overwrite: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        File.Delete(temporaryPath);
    }
}
