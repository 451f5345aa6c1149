namespace ResilientHosting.Resources;

/// <summary>A new object for every scope, torn down with it.</summary>
internal sealed class PerRequestSource<T>(
    Func<ResourceContext, CancellationToken, ValueTask<T>> create, Func<T, TeardownContext, ValueTask> teardown) : ResourceSource<T>
    where T : class
{
    public override ValueTask<Lease<T>> AcquireAsync(ResourceContext context, CancellationToken cancellationToken)
    {
        var creating = create(context, cancellationToken);
        return creating.IsCompletedSuccessfully ? new(new Lease<T>(creating.Result)) : AwaitAsync(creating);

        static async ValueTask<Lease<T>> AwaitAsync(ValueTask<T> creating) => new(await creating.ConfigureAwait(false));
    }

    public override ValueTask ReturnAsync(Lease<T> lease, TeardownContext context) => teardown(lease.Value, context);

    public override void Detach(Lease<T> lease)
    {
        // Nothing to forget: nobody else knew of the object.
    }
}
