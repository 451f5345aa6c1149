namespace ResilientHosting.Tests.Sample;

public sealed class OrderStreamTests
{
    [Fact]
    public async Task Stream_OrderIsPlaced_SendsIt()
    {
        await using var sample = SampleApplication.Start();
        await using var reader = await sample.ConnectAsync();
        await reader.SendGetAsync("/orders/stream");
        await reader.ReadUntilAsync("event: ready");

        var order = await sample.PlaceAsync("Tony");

        var received = await reader.ReadUntilAsync($"id: {order.GetProperty("id").GetString()}");
        Assert.Contains("event: order", received, StringComparison.Ordinal);
        Assert.Contains("\"customer\":\"Tony\"", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ReaderComesBack_GetsWhatItMissed()
    {
        await using var sample = SampleApplication.Start();
        var seen = await sample.PlaceAsync("Seen");
        await sample.PlaceAsync("Missed");
        await using var reader = await sample.ConnectAsync();

        await reader.SendAsync(
            $"GET /orders/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {seen.GetProperty("id").GetString()}\r\n\r\n");

        var received = await reader.ReadUntilAsync("Missed");
        Assert.Contains("Missed", received, StringComparison.Ordinal);
        Assert.DoesNotContain("\"Seen\"", received, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_HostStops_EndsAtOnce()
    {
        var sample = SampleApplication.Start();
        await using var reader = await sample.ConnectAsync();
        await reader.SendGetAsync("/orders/stream");
        await reader.ReadUntilAsync("event: ready");

        // The clock of the sample stands still: only the stream's own end can let the host stop.
        await sample.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        Assert.EndsWith("0\r\n\r\n", await reader.ReadUntilAsync("0\r\n\r\n"), StringComparison.Ordinal);
    }
}
