using Microsoft.AspNetCore.Builder;

namespace ResilientHosting.Benchmarks;

/// <summary>How an application is asked.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Connections">How many connections ask.</param>
/// <param name="Depth">How many requests each sends before it waits for the answers.</param>
internal sealed record Load(string Name, int Connections, int Depth)
{
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(0.4);

    /// <summary>Asks for one round and returns the requests per second.</summary>
    public async Task<double> RunAsync(string path, WebApplication app)
    {
        var clients = Enumerable.Range(0, Connections).Select(_ => new PipelinedClient(path, Depth)).ToList();
        try
        {
            var port = new Uri(app.Urls.First()).Port;
            await Task.WhenAll(clients.Select(client => client.ConnectAsync(port)));
            using var end = new CancellationTokenSource(RoundTime);
            var began = TimeProvider.System.GetTimestamp();
            var answered = await Task.WhenAll(clients.Select(client => Task.Run(() => client.RunAsync(end.Token))));
            return answered.Sum() / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }
}
