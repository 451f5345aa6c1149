using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using ResilientHosting.Aborts;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Aborts.Detect.Connection;

public sealed class ObservedTransportReaderTests
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
    private readonly List<Exception?> _ends = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hold_UnreadBytes_HidesTheEndUntilTheyAreConsumed()
    {
        var reader = Hold();
        await WriteAndEndAsync("ab");

        var first = await reader.ReadAsync(Cancelled);
        Assert.False(first.IsCompleted);
        reader.AdvanceTo(first.Buffer.GetPosition(1));
        var second = await reader.ReadAsync(Cancelled);
        Assert.False(second.IsCompleted);
        Assert.Equal(1, second.Buffer.Length);
        Assert.Empty(_ends);
        reader.AdvanceTo(second.Buffer.End);

        Assert.True((await reader.ReadAsync(Cancelled)).IsCompleted);
        Assert.Equal([null], _ends);
    }

    [Fact]
    public async Task Hold_ReaderNeedsMoreThanThereIs_TellsTheEnd()
    {
        var reader = Hold();
        await WriteAndEndAsync("ab");

        var first = await reader.ReadAsync(Cancelled);
        reader.AdvanceTo(first.Buffer.Start, first.Buffer.End);

        var second = await reader.ReadAsync(Cancelled);
        Assert.True(second.IsCompleted);
        Assert.Equal(2, second.Buffer.Length);
        Assert.Equal([null], _ends);
    }

    [Fact]
    public async Task Hold_EndArrivesAfterTheReaderHasExaminedEverything_TellsTheEnd()
    {
        var reader = Hold();
        await _pipe.Writer.WriteAsync("ab"u8.ToArray(), Cancelled);
        var first = await reader.ReadAsync(Cancelled);
        reader.AdvanceTo(first.Buffer.Start, first.Buffer.End);
        var pending = reader.ReadAsync(Cancelled);
        Assert.False(pending.IsCompleted);

        await _pipe.Writer.CompleteAsync();

        Assert.True((await pending).IsCompleted);
        Assert.Equal([null], _ends);
    }

    [Fact]
    public async Task Hold_PeekWithoutConsuming_LeavesTheEndHidden()
    {
        var reader = Hold();
        await WriteAndEndAsync("ab");

        for (var i = 0; i < 3; i++)
        {
            Assert.True(reader.TryRead(out var peek));
            Assert.False(peek.IsCompleted);
            Assert.Equal(2, peek.Buffer.Length);
            reader.AdvanceTo(peek.Buffer.Start);
        }

        Assert.Empty(_ends);
    }

    [Fact]
    public async Task Hold_Reset_GetsThroughAtOnce()
    {
        var reader = Hold();
        var reset = new ConnectionResetException("reset");
        await _pipe.Writer.WriteAsync("ab"u8.ToArray(), Cancelled);
        await _pipe.Writer.CompleteAsync(reset);

        Assert.Same(reset, await Assert.ThrowsAsync<ConnectionResetException>(async () => await reader.ReadAsync(Cancelled)));
        Assert.Throws<ConnectionResetException>(() => reader.TryRead(out _));
        Assert.Equal([reset], _ends);
    }

    [Fact]
    public async Task Hold_CancelledRead_IsNoEnd()
    {
        var reader = Hold();
        var pending = reader.ReadAsync(Cancelled);
        reader.CancelPendingRead();
        Assert.True((await pending).IsCanceled);
        reader.AdvanceTo(default);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reader.ReadAsync(cancelled.Token));

        Assert.Empty(_ends);
    }

    [Fact]
    public async Task NoHold_UnreadBytes_ArePassedWithTheEnd()
    {
        var reader = new ObservedTransportReader(_pipe.Reader, holdsEnd: false, _ends.Add);
        await WriteAndEndAsync("ab");

        var result = await reader.ReadAsync(Cancelled);

        Assert.True(result.IsCompleted);
        Assert.Equal(2, result.Buffer.Length);
        Assert.Equal([null], _ends);
    }

    /// <summary>Any way of reading gets every byte in order, and the end once: not while there is something it has not looked at.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Hold_AnyWayOfReading_LosesNothingAndTellsTheEndOnce(int seed)
    {
        var random = new Random(seed);
        var sent = new byte[random.Next(1, 20_000)];
        random.NextBytes(sent);
        var received = new ArrayBufferWriter<byte>();
        var reader = Hold();
        var sending = SendAsync(sent, new Random(seed + 1));

        var examinedAll = false;
        while (true)
        {
            var result = await reader.ReadAsync(Cancelled).AsTask().WaitAsync(KestrelTestHost.Timeout, Cancelled);
            var length = (int)result.Buffer.Length;
            if (result.IsCompleted)
            {
                Assert.True(length == 0 || examinedAll, $"Seed {seed}: the end was told with {length} unseen bytes.");
                received.Write(result.Buffer.ToArray());
                reader.AdvanceTo(result.Buffer.End);
                break;
            }

            var consumed = random.Next(0, length + 1);
            var examined = random.Next(4) switch { 0 => length, 1 => consumed, _ => random.Next(consumed, length + 1) };
            received.Write(result.Buffer.Slice(0, consumed).ToArray());
            examinedAll = examined == length;
            reader.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.GetPosition(examined));
        }

        await sending;
        await reader.CompleteAsync();
        Assert.True(sent.AsSpan().SequenceEqual(received.WrittenSpan), $"Seed {seed}: other bytes arrived than were sent.");
        Assert.Equal([null], _ends);
    }

    public static IEnumerable<TheoryDataRow<int>> Seeds() => Enumerable.Range(1, 40).Select(seed => new TheoryDataRow<int>(seed));

    private async Task SendAsync(byte[] bytes, Random random)
    {
        await Task.Yield();
        for (var sent = 0; sent < bytes.Length;)
        {
            var part = Math.Min(random.Next(1, 2000), bytes.Length - sent);
            await _pipe.Writer.WriteAsync(bytes.AsMemory(sent, part), Cancelled);
            sent += part;
            if (random.Next(3) == 0)
            {
                await Task.Yield();
            }
        }

        await _pipe.Writer.CompleteAsync();
    }

    private ObservedTransportReader Hold() => new(_pipe.Reader, holdsEnd: true, _ends.Add);

    private async Task WriteAndEndAsync(string text)
    {
        await _pipe.Writer.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), Cancelled);
        await _pipe.Writer.CompleteAsync();
    }
}
