using System.Globalization;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Clients that never stop asking, by GET and by POST, until the test has seen enough. Each judges its own answers.</summary>
public sealed class Traffic : IAsyncDisposable
{
    private readonly CancellationTokenSource _enough = new();
    private readonly Task<int>[] _clients;

    public Traffic(Uri address, int clients, Action<Answer> judge) =>
        _clients = [.. Enumerable.Range(0, clients).Select(number => Task.Run(() => RunAsync(address, number, judge)))];

    /// <summary>Ends the traffic and returns how many requests there were.</summary>
    /// <exception cref="Exception">A request failed, or was answered in a way that was judged wrong.</exception>
    public async Task<int> StopAsync()
    {
        await _enough.CancelAsync();
        return (await Task.WhenAll(_clients).WaitAsync(ConsoleLines.Timeout)).Sum();
    }

    /// <summary>Throws what went wrong so far.</summary>
    public async Task CheckAsync()
    {
        if (_clients.FirstOrDefault(client => client.IsCompleted) is { } client)
        {
            await client;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await ((Task)Task.WhenAll(_clients)).WaitAsync(ConsoleLines.Timeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _enough.Dispose();
    }

    private async Task<int> RunAsync(Uri address, int number, Action<Answer> judge)
    {
        using var client = new KeepAliveClient(address);
        var requests = 0;
        for (; !_enough.IsCancellationRequested; requests++)
        {
            using var limit = new CancellationTokenSource(ConsoleLines.Timeout);
            if (number % 2 == 0)
            {
                judge(await client.GetAsync("/", limit.Token));
            }
            else
            {
                var text = string.Create(CultureInfo.InvariantCulture, $"client {number}, request {requests}");
                var answer = await client.PostAsync("/echo", text, limit.Token);
                judge(answer);
                Assert.True(answer.Status != 200 || answer.Body == text, $"{text} was answered with {answer}");
            }
        }

        return requests;
    }
}
