namespace ResilientHosting.Resources;

/// <summary>What a failed factory left behind.</summary>
internal sealed class UnfinishedObject(string resource, object unfinished) : OwnedObject
{
    public override string Name { get; } = $"{resource} (unfinished {unfinished.GetType().Name})";

    public override bool IsTornDown => true;

    public override ValueTask ReturnAsync(TeardownContext context) => Teardown.DisposeAsync(unfinished, context);
}
