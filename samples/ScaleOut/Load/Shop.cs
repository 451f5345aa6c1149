using System.Net.Http.Json;
using System.Text.Json;

namespace ScaleOut.Load;

/// <summary>What a customer can do. Nothing here is tried again: what fails has failed, and is recorded.</summary>
internal sealed class Shop(Uri address, Record record, Promises promises, TimeProvider clock) : IDisposable
{
    private static readonly string[] Items = ["Desk lamp", "Notebook", "Fountain pen", "Chair", "Kettle"];

    // Half of what a payment takes: it runs by then, and is far from done.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly HttpClient _client = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };

    public Task ReadAsync(long due) => SendAsync("read", due, () => new HttpRequestMessage(HttpMethod.Get, "/orders"));

    public Task ReportAsync(long due) => SendAsync("report", due, () => new HttpRequestMessage(HttpMethod.Get, "/orders/report"));

    /// <summary>Places an order.</summary>
    /// <returns>The order's id; <see langword="null"/> if it failed.</returns>
    public async Task<Guid?> OrderAsync(long due)
    {
        var reference = Guid.NewGuid();
        var order = new { reference, item = Items[Random.Shared.Next(Items.Length)], quantity = 1, unitPrice = 9.90m };
        var placed = await SendAsync("order", due, () => Post("/orders", order));
        if (placed is null)
        {
            return null;
        }

        promises.Ordered(reference);
        return placed.Body.GetProperty("id").GetGuid();
    }

    /// <summary>Places an order and pays it.</summary>
    public async Task PayAsync(long due)
    {
        if (await OrderAsync(due) is { } id
            && await SendAsync("pay", clock.GetTimestamp(), () => Payment(id)) is not null)
        {
            promises.Paid(id);
        }
    }

    /// <summary>Places an order, pays it, loses patience, and sends the payment again.</summary>
    public async Task PayTwiceAsync(long due)
    {
        if (await OrderAsync(due) is not { } id)
        {
            return;
        }

        await SendAsync("pay, stopped", clock.GetTimestamp(), () => Payment(id), Patience);
        if (await SendAsync("pay, sent again", clock.GetTimestamp(), () => Payment(id)) is { } answer)
        {
            promises.PaidAfterAll(id, answer.Replica);
        }
    }

    public void Dispose() => _client.Dispose();

    private static HttpRequestMessage Payment(Guid id)
    {
        var request = Post("/payments", new { orderId = id });
        request.Headers.Add("Idempotency-Key", id.ToString());
        return request;
    }

    private static HttpRequestMessage Post(string path, object body) => new(HttpMethod.Post, path) { Content = JsonContent.Create(body) };

    /// <summary>Sends a request and records it, with the time since it was due.</summary>
    /// <returns>The answer; <see langword="null"/> if it failed, or was stopped on purpose after <paramref name="patience"/>.</returns>
    private async Task<Answer?> SendAsync(string kind, long due, Func<HttpRequestMessage> create, TimeSpan? patience = null)
    {
        using var stop = new CancellationTokenSource(patience ?? Timeout.InfiniteTimeSpan, clock);
        try
        {
            using var request = create();
            using var response = await _client.SendAsync(request, stop.Token);
            var body = await response.Content.ReadAsStringAsync(stop.Token);
            var replica = response.Headers.TryGetValues("X-Replica", out var names) ? names.First() : "nobody";
            if (!response.IsSuccessStatusCode)
            {
                record.Failed(kind, $"{(int)response.StatusCode} by {replica}");
                return null;
            }

            record.Answered(kind, due, replica);
            return new Answer(JsonSerializer.Deserialize<JsonElement>(body), replica);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            record.Answered(kind, due, replica: null);
            return null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            record.Failed(kind, $"{exception.GetType().Name}: {exception.GetBaseException().Message}");
            return null;
        }
    }

    private sealed record Answer(JsonElement Body, string Replica);
}
