namespace ResilientHosting.Soak;

/// <summary>A few clients, each on a connection that it keeps, that ask now and then.</summary>
internal sealed class LightLoad : IAsyncDisposable
{
    private const int Clients = 4;

    private static readonly TimeSpan BetweenRequests = TimeSpan.FromMilliseconds(400);

    private readonly CancellationTokenSource _enough = new();
    private readonly Task _clients;
    private int _requests;
    private int _failed;

    public LightLoad(Uri address, string path) =>
        _clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => AskAsync(new Uri(address, path))));

    /// <summary>Ends it.</summary>
    /// <returns>How many requests there were, and how many of them failed.</returns>
    public async Task<(int Requests, int Failed)> EndAsync()
    {
        await _enough.CancelAsync();
        await _clients;
        return (_requests, _failed);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _enough.Dispose();
    }

    private async Task AskAsync(Uri address)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        using var timer = new PeriodicTimer(BetweenRequests);
        while (!_enough.IsCancellationRequested)
        {
            Interlocked.Increment(ref _requests);
            try
            {
                using var answer = await client.GetAsync(address);
                if (!answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref _failed);
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                Interlocked.Increment(ref _failed);
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
