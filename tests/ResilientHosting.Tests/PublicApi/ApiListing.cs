using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace ResilientHosting.Tests.PublicApi;

/// <summary>What users of an assembly can name: one line a type, one a member, in an order that depends on nothing but names.</summary>
internal sealed class ApiListing
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private readonly NullabilityInfoContext _nullability = new();

    public ApiListing(Assembly assembly) =>
        Lines = [.. assembly.GetExportedTypes()
            .OrderBy(type => type.FullName, StringComparer.Ordinal)
            .SelectMany(type => Describe(type).Select((line, i) => i == 0 ? line : "    " + line))];

    public IReadOnlyList<string> Lines { get; }

    private IEnumerable<string> Describe(Type type)
    {
        var members = type.IsEnum
            ? Enum.GetNames(type).Select(name => $"{name} = {Convert.ToInt32(Enum.Parse(type, name), CultureInfo.InvariantCulture)}")
            : type.GetMembers(Declared).Where(IsVisible).Select(Describe).OfType<string>().Order(StringComparer.Ordinal);
        return members.Prepend($"{Kind(type)} {type.Namespace}.{Name(type)}{Parents(type)}");
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsSealed: true } => "sealed class",
        { IsAbstract: true } => "abstract class",
        _ => "class",
    };

    private static string Parents(Type type)
    {
        var parents = type.IsEnum ? [] : type.GetInterfaces()
            .Where(face => face.IsVisible)
            .Select(Name)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(Enum))
        {
            parents.Insert(0, Name(parent));
        }

        return parents.Count == 0 ? "" : " : " + string.Join(", ", parents);
    }

    private static bool IsVisible(MemberInfo member) => member switch
    {
        _ when member.IsDefined(typeof(CompilerGeneratedAttribute)) => false,
        MethodBase method => (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly)
            && (!method.IsSpecialName || method.IsConstructor),
        FieldInfo field => field.IsPublic || field.IsFamily,
        PropertyInfo property => property.GetAccessors().Length > 0,
        _ => false,
    };

    private string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"ctor({Parameters(constructor)})",
        MethodInfo method => $"{Static(method)}{Returned(method)} {method.Name}{Generics(method)}({Parameters(method)})",
        PropertyInfo property => $"{Static(property.GetAccessors()[0])}{Type(property.PropertyType, _nullability.Create(property))} " +
            $"{property.Name} {{ {Accessors(property)} }}",
        FieldInfo field => $"{Type(field.FieldType, _nullability.Create(field))} {field.Name}",
        _ => null,
    };

    private static string Static(MethodInfo method) => method.IsStatic ? "static " : "";

    private static string Accessors(PropertyInfo property) =>
        property.SetMethod is not { IsPublic: true } setter ? "get;"
        : setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "get; init;"
        : "get; set;";

    private static string Generics(MethodInfo method) => !method.IsGenericMethod ? "" :
        $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name + Constraints(argument)))}>";

    private static string Constraints(Type argument)
    {
        var constraints = argument.GetGenericParameterConstraints().Select(Name).ToList();
        if (argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            constraints.Insert(0, "class");
        }

        return constraints.Count == 0 ? "" : " : " + string.Join(", ", constraints);
    }

    private string Returned(MethodInfo method) => Type(method.ReturnType, _nullability.Create(method.ReturnParameter));

    private string Parameters(MethodBase method)
    {
        var isExtension = method.IsDefined(typeof(ExtensionAttribute));
        return string.Join(", ", method.GetParameters().Select((parameter, i) =>
            (isExtension && i == 0 ? "this " : "") + Describe(parameter)));
    }

    private string Describe(ParameterInfo parameter)
    {
        var direction = parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : "";
        var type = parameter.ParameterType.IsByRef ? parameter.ParameterType.GetElementType()! : parameter.ParameterType;
        return direction + Type(type, _nullability.Create(parameter)) + " " + parameter.Name + Default(parameter);
    }

    [SuppressMessage("Globalization", "CA1308", Justification = "C# writes its Boolean literals in lower case.")]
    private static string Default(ParameterInfo parameter) => parameter switch
    {
        { HasDefaultValue: false } => "",
        { RawDefaultValue: null, ParameterType.IsValueType: true } when Nullable.GetUnderlyingType(parameter.ParameterType) is null => " = default",
        { RawDefaultValue: null } => " = null",
        { RawDefaultValue: bool value } => " = " + value.ToString().ToLowerInvariant(),
        _ => " = " + Convert.ToString(parameter.RawDefaultValue, CultureInfo.InvariantCulture),
    };

    private static string Type(Type type, NullabilityInfo nullability)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Name(underlying) + "?";
        }

        // An unconstrained type parameter counts as nullable, since its argument may be.
        var isOpen = type.IsGenericParameter && !type.GenericParameterAttributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint);
        var mark = !type.IsValueType && !isOpen && nullability.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type is { IsGenericType: true } && nullability.GenericTypeArguments.Length == type.GetGenericArguments().Length)
        {
            var arguments = type.GetGenericArguments().Zip(nullability.GenericTypeArguments, Type);
            return $"{Bare(type)}<{string.Join(", ", arguments)}>{mark}";
        }

        return Name(type) + mark;
    }

    private static string Name(Type type) => type switch
    {
        { IsGenericType: true } => $"{Bare(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>",
        _ => Bare(type),
    };

    private static string Bare(Type type) => type.IsEnum ? type.Name : System.Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => "bool",
        TypeCode.Int32 => "int",
        TypeCode.Int64 => "long",
        TypeCode.String => "string",
        _ when type == typeof(object) => "object",
        _ when type == typeof(void) => "void",
        _ => type.Name.Split('`')[0],
    };
}
