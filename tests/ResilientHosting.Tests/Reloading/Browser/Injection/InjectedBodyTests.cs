using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>What becomes of a page however its application writes it.</summary>
public sealed class InjectedBodyTests : InjectionHost
{
    private readonly List<string> _files = [];

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _files.ForEach(File.Delete);
    }

    [Fact]
    public async Task Page_ThatIsFlushed_ArrivesPieceByPiece()
    {
        var arrived = new SemaphoreSlim(0);
        var opening = OpenAsync(async response =>
        {
            response.ContentType = "text/html";
            await response.StartAsync(Token);
            foreach (var piece in (string[])["<!doctype html><he", "ad><title>a", "</title>b"])
            {
                await response.WriteAsync(piece, Token);
                await response.Body.FlushAsync(Token);
                await arrived.WaitAsync(KestrelTestHost.Timeout, Token);
            }
        });
        var body = await (await opening).Content.ReadAsStreamAsync(Token);

        // Half a word is all that is kept back.
        foreach (var expected in (string[])["<!doctype html>", $"<head>{Script}<title>a", "</title>b"])
        {
            var read = new byte[Encoding.UTF8.GetByteCount(expected)];
            await body.ReadExactlyAsync(read, Token).AsTask().WaitAsync(KestrelTestHost.Timeout, Token);
            Assert.Equal(expected, Encoding.UTF8.GetString(read));
            arrived.Release();
        }

        Assert.Equal(0, await body.ReadAsync(new byte[1], Token));
    }

    [Fact]
    public async Task Page_ThatIsCompletedEarly_IsWholeBeforeTheApplicationIsDone()
    {
        var read = new TaskCompletionSource();
        var answer = await OpenAsync(async response =>
        {
            response.ContentType = "text/html";
            response.BodyWriter.Write(Encoding.UTF8.GetBytes("<html>"));
            await response.CompleteAsync();
            await read.Task.WaitAsync(KestrelTestHost.Timeout, Token);
        });

        Assert.Equal("<html>" + Script, await ReadAsync(answer));
        read.SetResult();
    }

    [Fact]
    public async Task Page_WhoseApplicationFails_IsNotMadeGood()
    {
        var answer = await OpenAsync(response =>
        {
            response.ContentType = "text/html";
            response.BodyWriter.Write(Encoding.UTF8.GetBytes("<html>"));
            throw new InvalidOperationException("failed");
        });

        Assert.Equal((HttpStatusCode.InternalServerError, ""), (answer.StatusCode, await ReadAsync(answer)));
    }

    [Fact]
    public async Task Pages_WrittenInEveryWay_AreWholeAndHaveTheScript()
    {
        const int Seed = 20_261_122;
        var random = new Random(Seed);
        await StartAsync(response => WriteAtRandomAsync(response, random), synchronous: true);
        for (var i = 0; i < 300; i++)
        {
            var answer = await OpenAsync("/");

            var body = await ReadAsync(answer);
            Assert.True(body == Page.Replace("<head>", "<head>" + Script, StringComparison.Ordinal), $"Seed {Seed}, page {i}: {body}");
        }
    }

    private async Task WriteAtRandomAsync(HttpResponse response, Random random)
    {
        var page = Encoding.UTF8.GetBytes(Page);
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = random.Next(2) == 0 ? page.Length : null;
        if (random.Next(4) == 0)
        {
            await response.StartAsync(Token);
        }

        for (var at = 0; at < page.Length;)
        {
            var piece = page.AsMemory(at, Math.Min(page.Length - at, random.Next(4) == 0 ? page.Length : random.Next(12)));
            at += piece.Length;
            switch (random.Next(6))
            {
                case 0:
                    await response.Body.WriteAsync(piece, Token);
                    break;
                case 1:
                    response.Body.Write(piece.Span);
                    break;
                case 2:
                    await Task.Factory.FromAsync(
                        (callback, state) => response.Body.BeginWrite(piece.ToArray(), 0, piece.Length, callback, state), response.Body.EndWrite, null);
                    break;
                case 3:
                    await response.BodyWriter.WriteAsync(piece, Token);
                    break;
                case 4:
                    response.BodyWriter.Write(piece.Span);
                    if (at < page.Length || random.Next(2) == 0)
                    {
                        await response.BodyWriter.FlushAsync(Token);
                    }

                    break;
                default:
                    var file = Path.GetTempFileName();
                    _files.Add(file);
                    await File.WriteAllBytesAsync(file, [0, .. piece.Span, 0], Token);
                    await response.SendFileAsync(file, 1, piece.Length, Token);
                    break;
            }

            if (random.Next(4) == 0)
            {
                await response.Body.FlushAsync(Token);
            }
        }

        if (random.Next(4) == 0)
        {
            await response.CompleteAsync();
        }
    }
}
