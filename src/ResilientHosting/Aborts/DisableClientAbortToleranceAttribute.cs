namespace ResilientHosting.Aborts;

/// <summary>Leaves an endpoint's requests exactly as ASP.NET Core handles them. It beats every policy.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class DisableClientAbortToleranceAttribute : Attribute;
