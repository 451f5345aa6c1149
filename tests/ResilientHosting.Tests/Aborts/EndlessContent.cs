using System.Net;

namespace ResilientHosting.Tests.Aborts;

/// <summary>A body that begins and never ends.</summary>
public sealed class EndlessContent : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(new byte[4], cancellationToken);
        await stream.FlushAsync(cancellationToken);
        await AbortTestApp.UntilAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
