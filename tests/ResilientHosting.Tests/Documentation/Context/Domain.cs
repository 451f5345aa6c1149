// The application that the pages speak of: what it stores, and with whom it talks.

internal partial class Program;

internal sealed record Note(int Id, string Text);

internal static class Notes
{
    public static Task<Note?> FindAsync(DbConnection db, int id, CancellationToken token) => throw null!;

    public static Task AddAsync(DbTransaction transaction, Note note, CancellationToken token) => throw null!;

    public static Task RemoveOldAsync(DbConnection db, CancellationToken token) => throw null!;
}

internal sealed class Archive : IAsyncDisposable
{
    public static ValueTask<Archive> OpenAsync(CancellationToken token) => throw null!;

    public ValueTask DisposeAsync() => throw null!;
}

internal sealed class Basket(TimeProvider clock)
{
    public DateTimeOffset OpenedAt { get; } = clock.GetUtcNow();
}

internal sealed class Session;

internal sealed record Message(string Text);

internal static class Messages
{
    public static IAsyncEnumerable<Message> ReadAllAsync(WebSocket socket, CancellationToken token) => throw null!;
}

internal static class Chat
{
    public static Task StoreAsync(ResourceScope scope, Message message, CancellationToken token) => throw null!;
}

internal enum StatusCode
{
    Ok,
    Cancelled,
}

internal sealed class RpcException : Exception
{
    public StatusCode StatusCode { get; init; }
}

internal sealed class RemoteCallException : Exception
{
    public bool WasCancelled { get; init; }
}
