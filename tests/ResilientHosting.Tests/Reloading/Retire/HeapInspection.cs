namespace ResilientHosting.Tests.Reloading.Retire;

/// <summary>Tests of what is in memory. A walk through the heap holds for a moment what another test wants to be rid of.</summary>
[CollectionDefinition(nameof(HeapInspection), DisableParallelization = true)]
public sealed class HeapInspection;
