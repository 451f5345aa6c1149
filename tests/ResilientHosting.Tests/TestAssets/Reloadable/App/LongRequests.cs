using System.Net.WebSockets;

/// <summary>Requests that are under way for as long as their clients like.</summary>
static class LongRequests
{
    const int BlockSize = 64 * 1024;

    public static void MapLongRequests(this WebApplication app)
    {
        app.UseWebSockets();
        app.MapGet("/stream", async (HttpResponse response, CancellationToken left) =>
        {
            response.ContentType = "text/event-stream";
            await response.WriteAsync("data: hello\n\n", left);
            await response.Body.FlushAsync(left);
            await Task.Delay(Timeout.Infinite, left);
        });
        app.Map("/socket", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            await socket.ReceiveAsync(new byte[1], context.RequestAborted);
        });
        app.MapGet("/poll", async (CancellationToken left) =>
        {
            Console.WriteLine("application: polled");
            await Task.Delay(Timeout.Infinite, left);
        });
        app.MapGet("/download/{blocks}", async (int blocks, HttpResponse response, CancellationToken left) =>
        {
            response.ContentLength = (long)blocks * BlockSize;
            for (var block = 0; block < blocks; block++)
            {
                await response.Body.WriteAsync(Enumerable.Repeat((byte)block, BlockSize).ToArray(), left);
            }
        });
        app.MapPost("/upload", async (HttpRequest request, CancellationToken left) =>
        {
            Console.WriteLine("application: receiving");
            var sum = 0L;
            var block = new byte[BlockSize];
            while (await request.Body.ReadAsync(block, left) is > 0 and var length)
            {
                sum += block.AsSpan(0, length).ToArray().Sum(value => (long)value);
            }

            return sum;
        }).WithMetadata(new Microsoft.AspNetCore.Mvc.DisableRequestSizeLimitAttribute());
    }
}
