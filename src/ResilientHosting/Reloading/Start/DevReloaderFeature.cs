using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace ResilientHosting.Reloading;

/// <summary>
/// Guards everything in the reloader that trimming or ahead-of-time compilation would break. Publishing with the switch
/// <c>ResilientHosting.DevReloader.IsSupported</c> set to false removes the reloader from a trimmed application.
/// </summary>
internal static class DevReloaderFeature
{
    [FeatureSwitchDefinition("ResilientHosting.DevReloader.IsSupported")]
    [FeatureGuard(typeof(RequiresUnreferencedCodeAttribute))]
    [FeatureGuard(typeof(RequiresDynamicCodeAttribute))]
#pragma warning disable IL4000 // The trimmer sets the switch, which the analyzer can't see from here.
    public static bool IsSupported =>
        RuntimeFeature.IsDynamicCodeSupported
        && (!AppContext.TryGetSwitch("ResilientHosting.DevReloader.IsSupported", out var enabled) || enabled);
#pragma warning restore IL4000
}
