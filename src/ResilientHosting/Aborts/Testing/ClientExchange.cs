using System.Net;

namespace ResilientHosting.Aborts;

/// <summary>A request over an <see cref="HttpClient"/> that is cancelled at a phase.</summary>
internal static class ClientExchange
{
    public static async Task RunAsync(
        HttpClient client, HttpRequestMessage request, ClientAbortPhase phase, Task? when, CancellationToken cancellationToken)
    {
        if (phase == ClientAbortPhase.RequestBody && when is null)
        {
            throw new ArgumentException(
                "An HttpClient cannot see when the server reads the body. Pass a task that your server side completes there.", nameof(when));
        }

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        switch (phase)
        {
            case ClientAbortPhase.RequestBody:
                var whole = request.Content!;
                using (var half = await HalfContent.OfAsync(whole, cancellationToken).ConfigureAwait(false))
                {
                    request.Content = half;
                    try
                    {
                        await LeaveBeforeAnswerAsync(client, request, phase, Task.WhenAll(half.Sent, when!), leaving).ConfigureAwait(false);
                    }
                    finally
                    {
                        request.Content = whole;
                    }
                }

                break;
            case ClientAbortPhase.Queued or ClientAbortPhase.Compute:
                await LeaveBeforeAnswerAsync(client, request, phase, when!, leaving).ConfigureAwait(false);
                break;
            case ClientAbortPhase.Delivered:
                using (await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken).ConfigureAwait(false))
                {
                    await (when ?? Task.CompletedTask).WaitAsync(cancellationToken).ConfigureAwait(false);
                }

                break;
            default:
                await LeaveResponseAsync(client, request, phase, when, leaving).ConfigureAwait(false);
                break;
        }
    }

    private static async Task LeaveBeforeAnswerAsync(
        HttpClient client, HttpRequestMessage request, ClientAbortPhase phase, Task when, CancellationTokenSource leaving)
    {
        var sending = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
        var first = await Task.WhenAny(when, sending).WaitAsync(leaving.Token).ConfigureAwait(false);
        if (first == sending)
        {
            using var answer = await sending.ConfigureAwait(false);
            throw AbortingClient.TooEarly($"{(int)answer.StatusCode}", phase);
        }

        await leaving.CancelAsync().ConfigureAwait(false);
        await ((Task)sending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (sending.IsCompletedSuccessfully)
        {
            (await sending.ConfigureAwait(false)).Dispose();
        }

        await when.ConfigureAwait(false);
    }

    private static async Task LeaveResponseAsync(
        HttpClient client, HttpRequestMessage request, ClientAbortPhase phase, Task? when, CancellationTokenSource leaving)
    {
        using var response = await client
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token).ConfigureAwait(false);
        var body = await response.Content.ReadAsStreamAsync(leaving.Token).ConfigureAwait(false);
        if (await body.ReadAsync(new byte[1], leaving.Token).ConfigureAwait(false) == 0)
        {
            throw AbortingClient.TooEarly($"{(int)response.StatusCode}, without a body", phase);
        }

        await (when ?? Task.CompletedTask).WaitAsync(leaving.Token).ConfigureAwait(false);

        // A read that is cancelled ends the connection. To dispose of the response would let the handler read on for a while, in the
        // hope to use the connection again.
        var rest = body.CopyToAsync(Stream.Null, leaving.Token);
        await leaving.CancelAsync().ConfigureAwait(false);
        await rest.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The first half of a content, and then nothing, until the request is cancelled.</summary>
    private sealed class HalfContent(byte[] whole) : HttpContent
    {
        private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Sent => _sent.Task;

        public static async Task<HalfContent> OfAsync(HttpContent content, CancellationToken cancellationToken)
        {
            var half = new HalfContent(await content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                half.Headers.TryAddWithoutValidation(name, values);
            }

            return half;
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(whole.AsMemory(0, whole.Length / 2), cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
            _sent.TrySetResult();
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = whole.Length;
            return true;
        }
    }
}
