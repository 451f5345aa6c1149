using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHosting.Aborts;

/// <summary>
/// Hands out the raw stream under a WebSocket with a witness around it. A client that vanishes shows there first; once the
/// WebSocket has noticed, its own clean-up aborts the request, which then looks like the application's doing.
/// </summary>
internal sealed class ObservedUpgrade(IHttpUpgradeFeature server, AbortMonitor monitor) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => server.IsUpgradableRequest;

    public static ObservedUpgrade? Attach(IFeatureCollection features, AbortMonitor monitor)
    {
        if (features.Find<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } server)
        {
            return null;
        }

        var upgrade = new ObservedUpgrade(server, monitor);
        features.Put<IHttpUpgradeFeature>(upgrade);
        return upgrade;
    }

    public void Detach(IFeatureCollection features)
    {
        if (ReferenceEquals(features.Find<IHttpUpgradeFeature>(), this))
        {
            features.Put(server);
        }
    }

    public async Task<Stream> UpgradeAsync() =>
        new ObservedStream(await server.UpgradeAsync().ConfigureAwait(false), monitor);

    private sealed class ObservedStream(Stream inner, AbortMonitor monitor) : Stream
    {
        public override bool CanRead => inner.CanRead;

        public override bool CanSeek => false;

        public override bool CanWrite => inner.CanWrite;

        public override bool CanTimeout => inner.CanTimeout;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count == 0 && !buffer.IsEmpty)
                {
                    await monitor.SettleConnectionAsync().ConfigureAwait(false);
                }

                return count;
            }
            catch (IOException)
            {
                await monitor.SettleConnectionAsync().ConfigureAwait(false);
                throw;
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.WriteAsync(buffer, offset, count, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
