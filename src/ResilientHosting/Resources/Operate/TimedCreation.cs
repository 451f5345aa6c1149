namespace ResilientHosting.Resources;

/// <summary>Measures how long the objects of a pool take to be created.</summary>
internal sealed class TimedCreation<T>(ResourceSource<T> objects, PoolDuration duration) : ResourceSource<T>
    where T : class
{
    public override async ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var start = duration.Start();
        var created = await objects.AcquireAsync(context, cancellationToken).ConfigureAwait(false);
        duration.Stop(start);
        return created;
    }

    public override ValueTask ReturnAsync(Lease<T> lease, TeardownContext context) => objects.ReturnAsync(lease, context);

    public override void Detach(Lease<T> lease) => objects.Detach(lease);
}
